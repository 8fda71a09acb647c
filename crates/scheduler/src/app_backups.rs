//! SAS refreshes and drills that are due for the backups of one app.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_model::{
    App, BackupId, CatalogEntry, Delete, DeletionRule, Drill, DrillRule, Policy, RefreshReason, RefreshSas,
    Restore, Run, SasFacts, StorageName, Task, Timestamp,
};

use crate::UnfinishedRuns;
use crate::app_retention::{AppRetention, RETRY_AFTER, RetentionQuery, failed_recently};

/// An app with a policy, and its existing backups, newest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppBackups<'a> {
    pub app: &'a App,
    pub policy: &'a Policy,
    pub entries: &'a [CatalogEntry],
    pub unfinished: &'a UnfinishedRuns,
    pub now: Timestamp,
}

/// A task to plan for an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MaintenanceTask {
    pub app: App,
    /// The storage of the backup, which may differ from the policy's present one.
    pub storage: StorageName,
    pub task: Task,
}

impl AppBackups<'_> {
    /// What retention decides about the backups.
    pub fn retention(&self) -> AppRetention {
        RetentionQuery {
            policy: self.policy,
            entries: self.entries.iter().collect(),
            foreign: Vec::new(),
            unfinished: self.unfinished,
            now: self.now,
        }
        .decide()
    }

    /// The deletions of the `due` backups.
    pub fn deletions(&self, due: &[BackupId]) -> Vec<MaintenanceTask> {
        let of = |id: &BackupId| self.entries.iter().rfind(|entry| entry.backup.id == *id);
        let task = |entry: &CatalogEntry| {
            let (backup, blob, rule) = (entry.backup.id, entry.backup.blob.clone(), self.deletion_rule());
            self.task(entry, Task::Delete(Delete { backup, blob, allow_last: false, rule }))
        };
        due.iter().filter_map(of).map(task).collect()
    }

    /// The rule that the worker applies again before it deletes.
    fn deletion_rule(&self) -> Option<DeletionRule> {
        let timezone = self.policy.schedule.timezone.name().to_owned();
        self.policy.retention.map(|retention| DeletionRule { retention, timezone })
    }

    /// The backups whose SAS at Azure is unknown or expires within `margin`, except the `expired` ones.
    ///
    /// A deletion refreshes its SAS itself. A SAS without an expiry is never refreshed.
    pub fn expiring_sas(&self, margin: Duration, expired: &BTreeSet<BackupId>) -> Vec<&CatalogEntry> {
        let is_due = |entry: &CatalogEntry| match &entry.sas {
            None => true,
            Some(sas) => sas.window.expiry.is_some_and(|expiry| expiry < self.now + margin),
        };
        let needs_refresh = |entry: &&CatalogEntry| {
            !expired.contains(&entry.backup.id) && is_due(entry) && !failed_recently(entry, self.now)
        };
        self.entries.iter().filter(needs_refresh).collect()
    }

    /// The refresh of a backup's SAS, unless one of the `previous` refreshes was too recent.
    ///
    /// After a refresh that brought no other SAS the next one waits for a day, after any other for `margin`.
    pub fn refresh(
        &self,
        entry: &CatalogEntry,
        margin: Duration,
        previous: &[Run],
    ) -> Option<MaintenanceTask> {
        let fingerprint = |sas: &Option<SasFacts>| sas.as_ref().map(|sas| sas.fingerprint.clone());
        let is_recent = |run: &Run| match &run.task {
            Task::RefreshSas(refresh) if refresh.backup == entry.backup.id => {
                let is_same = fingerprint(&refresh.old) == fingerprint(&entry.sas);
                run.created_at + if is_same { RETRY_AFTER } else { margin } > self.now
            }
            _ => false,
        };
        let (reason, old) = (RefreshReason::KeptBackup, entry.sas.clone());
        let task = Task::RefreshSas(RefreshSas { backup: entry.backup.id, reason, old });
        (!previous.iter().any(is_recent)).then(|| self.task(entry, task))
    }

    /// The drill rule, if a drill is due by the drills of the existing backups.
    pub fn due_drill_rule(&self) -> Option<&DrillRule> {
        // A scratch app may have a policy too; it is not restored over itself.
        let rule = self.policy.drill.as_ref().filter(|rule| rule.into != self.app.id)?;
        rule.is_due(last_drill(self.entries), self.now).then_some(rule)
    }

    /// A drill of the newest good backup that no unfinished run deletes, into `scratch`.
    pub fn drill(&self, rule: &DrillRule, scratch: App) -> Option<MaintenanceTask> {
        let stays = |entry: &&CatalogEntry| !self.unfinished.is_deleting(&entry.app, entry.backup.id);
        let good = self.entries.iter().filter(|entry| entry.good).filter(stays);
        let newest = good.max_by_key(|entry| (entry.backup.accepted_at, entry.backup.id))?;
        let restore = Restore {
            source: self.app.id.clone(),
            backup: Some(newest.backup.id),
            blob: newest.backup.blob.clone(),
            new_in_plan: None,
            databases: Vec::new(),
            ignore_databases: true,
            ignore_conflicting_host_names: true,
        };
        let task = Task::Drill(Drill { restore, probe: rule.probe.clone() });
        Some(MaintenanceTask { app: scratch, storage: newest.storage.clone(), task })
    }

    fn task(&self, entry: &CatalogEntry, task: Task) -> MaintenanceTask {
        MaintenanceTask { app: self.app.clone(), storage: entry.storage.clone(), task }
    }
}

/// When the last drill of any of these backups ended.
pub(crate) fn last_drill(entries: &[CatalogEntry]) -> Option<Timestamp> {
    entries.iter().filter_map(|entry| entry.drill.map(|(at, _)| at)).max()
}
