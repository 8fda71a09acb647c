//! An app's backups, merged from Azure and the catalog.

use std::collections::BTreeSet;

use holdfast_arm::Backup;
use holdfast_config::Fleet;
use holdfast_model::retention::{KeepReason, RetentionDecision};
use holdfast_model::{App, AppId, BackupId, CatalogEntry, RunKind, Timestamp};
use holdfast_scheduler::{ForeignBackup, RetentionQuery};
use holdfast_store::{CatalogFilter, RunFilter, Store};

use super::item::Item;
use super::problem::{self, Circumstances, is_lost_lately};
use crate::retention::unfinished_runs;
use crate::{ControlContext, Error, ErrorKind, observed_backups};

/// An app's backups.
#[derive(Debug)]
pub struct Inventory {
    /// The app.
    pub app: App,
    /// The store's time.
    pub now: Timestamp,
    /// Each backup, the newest first.
    pub items: Vec<Item>,
    /// The backups that Holdfast is deleting.
    pub being_deleted: BTreeSet<BackupId>,
}

impl Inventory {
    /// Reads the catalog and Azure for the app of this name.
    pub async fn of(name: &str, context: &ControlContext<'_>) -> Result<Self, Error> {
        let app = context.app(name).await?;
        let filter =
            CatalogFilter { app: Some(app.id.clone()), with_removed: true, ..CatalogFilter::default() };
        let entries = context.store.catalog(&filter).await?;
        let seen = observed_backups::observe(&*context.arm, &app.id, &entries).await?;
        let now = context.now;
        let mut items = beside(entries, seen.backups);
        if let Some(policy) = app.policy.as_ref().and_then(|name| context.fleet.policies.get(name)) {
            let entries = items.iter().filter_map(|item| item.entry.as_ref()).collect();
            let foreign = items.iter().filter(|item| item.entry.is_none());
            let foreign = foreign.filter_map(|item| {
                Some(ForeignBackup { id: item.id, accepted_at: item.azure.as_ref()?.created? })
            });
            let foreign = foreign.collect();
            let unfinished = unfinished_runs(context.store).await?;
            let query = RetentionQuery { policy, entries, foreign, unfinished: &unfinished, now };
            let decisions = query.decide().decisions;
            let rule = policy.retention.is_some();
            for item in &mut items {
                item.decision = match &item.entry {
                    Some(entry) if entry.removal.is_some() => None,
                    Some(_) => decisions.get(&item.id).copied(),
                    None => rule.then_some(RetentionDecision::Keep(KeepReason::NotOurs)),
                };
            }
        }
        let being_deleted = being_deleted(context.store, &app.id).await?;
        let name = app.id.short_name();
        for item in &mut items {
            let circumstances = Circumstances {
                app: &name,
                storage_in_reach: item.entry.as_ref().is_some_and(|entry| in_reach(entry, context.fleet)),
                being_deleted: being_deleted.contains(&item.id),
                now,
            };
            let entry = item.entry.as_ref();
            item.problem = entry.and_then(|entry| problem::of(entry, item.azure.as_ref(), circumstances));
        }
        if let Some(error) = seen.doubt {
            (context.notify)(&format!("missing backups could not be looked for a second time: {error}"));
        }
        Ok(Self { app, now, items, being_deleted })
    }

    /// Leaves out the backups that the catalog knows to be removed, but for those that were lost in the last week.
    #[must_use]
    pub fn without_removed(mut self) -> Self {
        let now = self.now;
        let is_removed = |entry: &CatalogEntry| entry.removal.is_some() && !is_lost_lately(entry, now);
        self.items.retain(|item| item.azure.is_some() || !item.entry.as_ref().is_some_and(is_removed));
        self
    }

    /// The backup of this number, or an error that says where to look.
    pub fn get(&self, id: BackupId) -> Result<&Item, Error> {
        let name = self.app.id.short_name();
        self.find(id).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("neither Azure nor the catalog has a backup {id} of {name}"),
            )
            .help(format!("`holdfast backups list {name}` lists the backups"))
        })
    }

    /// The backup with this number; of several, the backup that exists in Azure.
    pub fn find(&self, id: BackupId) -> Option<&Item> {
        let of_number = || self.items.iter().filter(|item| item.id == id);
        of_number().find(|item| item.azure.is_some()).or_else(|| of_number().next())
    }
}

/// The backups of an app that a run which has not ended deletes.
pub async fn being_deleted(store: &dyn Store, app: &AppId) -> Result<BTreeSet<BackupId>, Error> {
    let (app_alone, kind) = (Some(app.clone()), Some(RunKind::Delete));
    let filter = RunFilter { app: app_alone, kind, unfinished: true, ..RunFilter::default() };
    let under_way = store.runs(&filter).await?;
    Ok(under_way.iter().filter_map(|run| run.task.backup(app).map(|(_, id)| id)).collect())
}

/// Whether the storage of a backup can be read: by its policy, and by the fleet file.
pub fn in_reach(entry: &CatalogEntry, fleet: &Fleet) -> bool {
    let policy = entry.policy.as_ref().and_then(|name| fleet.policies.get(name));
    let is_verified = policy.is_none_or(|policy| policy.policy_snapshot.verify);
    is_verified && fleet.storage(&entry.storage).is_some()
}

/// Each backup once, the newest first.
pub(super) fn beside(entries: Vec<CatalogEntry>, mut listed: Vec<Backup>) -> Vec<Item> {
    let mut items = Vec::new();
    for entry in entries {
        let at = listed.iter().position(|backup| backup.is(&entry.backup));
        let azure = at.map(|at| listed.remove(at));
        items.push(Item { id: entry.backup.id, entry: Some(entry), azure, decision: None, problem: None });
    }
    let outside = |backup: Backup| Item {
        id: backup.id,
        entry: None,
        azure: Some(backup),
        decision: None,
        problem: None,
    };
    items.extend(listed.into_iter().map(outside));
    items.sort_by_key(|item| std::cmp::Reverse((item.created(), item.id)));
    items
}
