//! The look at one app's backups, and what is written down of it.

use std::sync::Arc;

use holdfast_arm::Arm;
use holdfast_model::{AppId, CatalogEntry, NewRun, OperatorAction, Timestamp};
use holdfast_storage::Storage;
use holdfast_store::{CatalogFilter, Store};
use serde::Serialize;

use super::judge::{Blobs, Observation, VerifyResult, judge};
use holdfast_config::Fleet;
use holdfast_control::inventory::being_deleted;
use holdfast_control::observed_backups;
use holdfast_control::operator_actions;

/// What a look needs.
pub struct Checker {
    /// The fleet file.
    pub fleet: Fleet,
    /// The truth.
    pub store: Arc<dyn Store>,
    /// Azure.
    pub arm: Arc<dyn Arm>,
    /// Its storage.
    pub storage: Arc<dyn Storage>,
    /// Who asks.
    pub by: String,
}

/// What was found of one backup, for programs.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Whose.
    pub app: AppId,
    /// Azure's number for it.
    pub backup_id: i64,
    /// Its blob.
    pub blob: String,
    /// What became of it.
    #[serde(flatten)]
    pub verdict: VerifyResult,
}

impl Checker {
    /// Looks at an app's backups, and writes down which are whole and which are lost. What could not be told leaves the
    /// catalog as it is.
    pub async fn check(
        &self,
        app: &AppId,
        entries: Vec<CatalogEntry>,
        mut rng: fastrand::Rng,
    ) -> anyhow::Result<Vec<Finding>> {
        let mut judged = self.judged(app, entries).await?;
        if judged.iter().any(|(_, verdict)| matches!(verdict, VerifyResult::Lost { .. })) {
            // What was deleted while it was looked for is not lost.
            let still = self.store.catalog(&of(app)).await?;
            judged.retain(|(entry, _)| still.iter().any(|kept| kept.backup.id == entry.backup.id));
        }
        let now = self.store.now().await?;
        let mut note = |(entry, verdict): &(CatalogEntry, VerifyResult)| -> Option<NewRun> {
            let backup = entry.backup.id;
            let note = match verdict {
                VerifyResult::Verified { size_bytes } => {
                    OperatorAction::Verified { backup, size_bytes: *size_bytes }
                }
                VerifyResult::Lost { detail } => OperatorAction::Lost { backup, detail: detail.clone() },
                VerifyResult::Unchecked { .. } => return None,
            };
            Some(operator_actions::about(entry, (note, self.by.clone()), now, &mut rng))
        };
        let notes: Vec<NewRun> = judged.iter().filter_map(&mut note).collect();
        self.store.add_runs(&notes).await?;
        let finding = |(entry, verdict): (CatalogEntry, VerifyResult)| Finding {
            app: entry.app,
            backup_id: entry.backup.id.0,
            blob: entry.backup.blob,
            verdict,
        };
        Ok(judged.into_iter().map(finding).collect())
    }

    async fn judged(
        &self,
        app: &AppId,
        entries: Vec<CatalogEntry>,
    ) -> anyhow::Result<Vec<(CatalogEntry, VerifyResult)>> {
        let seen = match observed_backups::observe(&*self.arm, app, &entries).await {
            Ok(seen) => seen,
            Err(error) => {
                let verdict = VerifyResult::Unchecked { detail: error.to_string() };
                return Ok(entries.into_iter().map(|entry| (entry, verdict.clone())).collect());
            }
        };
        let deleting = being_deleted(&*self.store, app).await?;
        let mut judged = Vec::new();
        for entry in entries {
            let now = self.store.now().await?;
            let sight = Observation {
                listed: seen.backups.iter().find(|backup| observed_backups::is(backup, &entry.backup)),
                doubt: seen.doubt.as_ref().map(ToString::to_string),
                is_being_deleted: deleting.contains(&entry.backup.id),
                blobs: self.blobs(&entry, now).await,
            };
            let verdict = judge(&entry.backup, &sight);
            judged.push((entry, verdict));
        }
        Ok(judged)
    }

    /// The blob and the manifest; `None` where storage is out of reach.
    async fn blobs(&self, entry: &CatalogEntry, now: Timestamp) -> Option<Result<Blobs, String>> {
        let policy = entry.policy.as_ref().and_then(|name| self.fleet.policies.get(name));
        let in_reach = policy.is_none_or(|policy| policy.policy_snapshot.verify);
        if !in_reach || !self.fleet.storages.contains_key(&entry.storage) {
            return None;
        }
        let look = async {
            let blob = self.storage.blob(&entry.storage, &entry.backup.blob, now).await?;
            let manifest = self.storage.blob(&entry.storage, &entry.backup.manifest(), now).await?;
            Ok((blob, manifest))
        };
        Some(look.await.map_err(|error: holdfast_storage::Error| error.to_string()))
    }
}

fn of(app: &AppId) -> CatalogFilter {
    CatalogFilter { app: Some(app.clone()), ..CatalogFilter::default() }
}
