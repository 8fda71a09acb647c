//! An app's backups: what Azure has beside what the catalog knows.

use std::collections::BTreeSet;

use holdfast_arm::Backup;
use holdfast_model::retention::{KeepReason, RetentionDecision};
use holdfast_model::{App, AppId, BackupId, BackupName, CatalogEntry, Origin, RunKind, Timestamp};
use holdfast_store::{CatalogFilter, RunFilter, Store};
use serde::Serialize;

use crate::desk::Desk;
use crate::{retention_decisions, sightings};

/// An app's backups.
#[derive(Debug)]
pub struct Inventory {
    /// The app.
    pub app: App,
    /// The store's time.
    pub now: Timestamp,
    /// Each backup, the newest first.
    pub items: Vec<Item>,
    /// Those that Holdfast is deleting.
    pub being_deleted: BTreeSet<BackupId>,
    /// Why a second opinion on what is missing could not be had.
    pub doubt: Option<holdfast_arm::Error>,
}

/// One backup: at least one of the two knows it.
#[derive(Debug, Clone)]
pub struct Item {
    /// Azure's number for it.
    pub id: BackupId,
    /// What the catalog knows.
    pub entry: Option<CatalogEntry>,
    /// What Azure has.
    pub azure: Option<Backup>,
    /// What retention would do with it, where the policy has a rule.
    pub decision: Option<RetentionDecision>,
}

/// Who knows a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Azure and the catalog.
    Known,
    /// Azure alone.
    FoundOutside,
    /// The catalog alone.
    Gone,
}

/// Who took a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MadeBy {
    /// Holdfast, of this store or of another.
    Holdfast,
    /// Azure's own schedule.
    AzureSchedule,
    /// Somebody else.
    SomebodyElse,
}

impl Inventory {
    /// Asks Azure and the catalog about the app of this name.
    pub async fn take(name: &str, desk: &Desk<'_>) -> anyhow::Result<Self> {
        let app = desk.app(name).await?;
        let filter =
            CatalogFilter { app: Some(app.id.clone()), with_removed: true, ..CatalogFilter::default() };
        let entries = desk.store.catalog(&filter).await?;
        let seen = sightings::of(&*desk.arm, &app.id, &entries).await?;
        let now = desk.now;
        let mut items = beside(entries, seen.backups);
        if let Some(policy) = app.policy.as_ref().and_then(|name| desk.fleet.policies.get(name)) {
            let entries = items.iter().filter_map(|item| item.entry.as_ref());
            let strangers = items.iter().filter(|item| item.entry.is_none());
            let strangers = strangers.filter_map(|item| Some((item.id, item.azure.as_ref()?.created?)));
            let decisions = retention_decisions::of(policy, entries, strangers, now);
            let rule = policy.retention.is_some();
            for item in &mut items {
                item.decision = match &item.entry {
                    Some(entry) if entry.removal.is_some() => None,
                    Some(_) => decisions.get(&item.id).copied(),
                    None => rule.then_some(RetentionDecision::Keep(KeepReason::NotOurs)),
                };
            }
        }
        let being_deleted = being_deleted(desk.store, &app.id).await?;
        Ok(Self { app, now, items, being_deleted, doubt: seen.doubt })
    }

    /// The backup of this number; of several, the one that Azure has.
    pub fn find(&self, id: BackupId) -> Option<&Item> {
        let of_number = || self.items.iter().filter(|item| item.id == id);
        of_number().find(|item| item.azure.is_some()).or_else(|| of_number().next())
    }
}

impl Item {
    /// Who knows it.
    pub fn standing(&self) -> Standing {
        match (&self.entry, &self.azure) {
            (Some(_), Some(_)) => Standing::Known,
            (None, _) => Standing::FoundOutside,
            (_, None) => Standing::Gone,
        }
    }

    /// Who took it, as far as can be told.
    pub fn made_by(&self) -> MadeBy {
        let name = self.azure.as_ref().and_then(|backup| backup.name.as_deref()).unwrap_or_default();
        match &self.entry {
            Some(entry) if entry.origin != Origin::TakenOver => MadeBy::Holdfast,
            _ if self.azure.as_ref().is_some_and(|backup| backup.scheduled) => MadeBy::AzureSchedule,
            _ if name.starts_with(BackupName::PREFIX) => MadeBy::Holdfast,
            _ => MadeBy::SomebodyElse,
        }
    }

    /// When Azure took it on.
    pub fn created(&self) -> Option<Timestamp> {
        let azure = self.azure.as_ref().and_then(|backup| backup.created);
        azure.or(self.entry.as_ref().map(|entry| entry.backup.accepted_at))
    }

    /// Its blob, as far as it is known.
    pub fn blob(&self) -> Option<&str> {
        let entry = self.entry.as_ref().map(|entry| entry.backup.blob.as_str());
        entry.or_else(|| self.azure.as_ref()?.blob_name.as_deref())
    }

    /// Its size, as far as it is known.
    pub fn size_bytes(&self) -> Option<i64> {
        let entry = self.entry.as_ref().map(|entry| entry.backup.size_bytes).filter(|size| *size > 0);
        entry.or_else(|| self.azure.as_ref()?.size_bytes)
    }
}

impl Standing {
    /// The words on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::FoundOutside => "found outside",
            Self::Gone => "gone",
        }
    }
}

impl MadeBy {
    /// The words on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holdfast => "holdfast",
            Self::AzureSchedule => "azure's schedule",
            Self::SomebodyElse => "somebody else",
        }
    }
}

/// The backups of an app that a run which has not ended deletes.
pub async fn being_deleted(store: &dyn Store, app: &AppId) -> anyhow::Result<BTreeSet<BackupId>> {
    let (app_alone, kind) = (Some(app.clone()), Some(RunKind::Delete));
    let filter = RunFilter { app: app_alone, kind, unfinished: true, ..RunFilter::default() };
    let under_way = store.runs(&filter).await?;
    Ok(under_way.iter().filter_map(|run| run.task.backup(app).map(|(_, id)| id)).collect())
}

/// Each backup once, the newest first.
fn beside(entries: Vec<CatalogEntry>, mut listed: Vec<Backup>) -> Vec<Item> {
    let mut items = Vec::new();
    for entry in entries {
        let at = listed.iter().position(|backup| sightings::is(backup, &entry.backup));
        let azure = at.map(|at| listed.remove(at));
        items.push(Item { id: entry.backup.id, entry: Some(entry), azure, decision: None });
    }
    let outside = |backup: Backup| Item { id: backup.id, entry: None, azure: Some(backup), decision: None };
    items.extend(listed.into_iter().map(outside));
    items.sort_by_key(|item| std::cmp::Reverse((item.created(), item.id)));
    items
}

#[cfg(test)]
pub mod tests;
