//! What retention does with the backups of one app: the one rule of the maintenance planner and of `holdfast retention`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_model::retention::{Backup, KeepReason, RetentionDecision, decide};
use holdfast_model::{BackupId, CatalogEntry, Origin, Policy, SasWindow, Timestamp};

use crate::UnfinishedRuns;

/// Time for which a backup or a schedule is left alone after a deletion or a new SAS failed: a person must act first.
pub(crate) const RETRY_AFTER: Duration = Duration::from_hours(24);

/// Maximum time that Azure works on a backup before it times out.
const MAKING_MAX: Duration = Duration::from_hours(24);

/// Maximum number of unfinished deletions of an app, so that a wrong rule or clock is noticed before all is deleted.
const DELETIONS_MAX: usize = 50;

/// A backup of the app that Azure lists and the catalog does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignBackup {
    /// Azure's number for it.
    pub id: BackupId,
    /// When Azure accepted it.
    pub accepted_at: Timestamp,
}

/// What retention looks at: the backups of one app under a policy.
#[derive(Debug, Clone)]
pub struct RetentionQuery<'a> {
    /// The app's policy.
    pub policy: &'a Policy,
    /// The app's catalog entries. Removed ones are ignored.
    pub entries: Vec<&'a CatalogEntry>,
    /// Backups that the catalog does not have, as far as they are known. They are never deleted.
    pub foreign: Vec<ForeignBackup>,
    /// The unfinished runs.
    pub unfinished: &'a UnfinishedRuns,
    /// The store's time.
    pub now: Timestamp,
}

/// What retention decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppRetention {
    /// The decision about each existing backup of the catalog; empty for a policy without retention.
    pub decisions: BTreeMap<BackupId, RetentionDecision>,
    /// Backups that no rule keeps and no unfinished run deletes.
    pub expired: BTreeSet<BackupId>,
    /// Expired backups whose deletion may be requested now, oldest first. Empty for a dry run.
    pub due: Vec<BackupId>,
    /// A backup that is newer than the clock. The clock or the backup is wrong, so nothing is due.
    pub newer_than_clock: Option<BackupId>,
}

impl RetentionQuery<'_> {
    /// Decides about each backup, and which deletions are due.
    pub fn decide(&self) -> AppRetention {
        let newer_than_clock = self.newer_than_clock();
        let Some(rule) = &self.policy.retention else {
            return AppRetention { newer_than_clock, ..AppRetention::default() };
        };
        let foreign = self.foreign.iter().map(|backup| Backup {
            id: backup.id,
            accepted_at: backup.accepted_at,
            good: false,
            verified: false,
            held: false,
            ours: false,
        });
        // A backup that is being deleted replaces no other one.
        let known = self.existing().map(|entry| entry.for_retention(!self.is_being_deleted(entry)));
        let backups: Vec<Backup> = known.chain(foreign).collect();
        let mut decisions: BTreeMap<BackupId, RetentionDecision> =
            decide(rule, &backups, &self.policy.schedule.timezone, self.now)
                .into_iter()
                .filter(|(_, decision)| *decision != RetentionDecision::Keep(KeepReason::NotOurs))
                .collect();
        let expired: BTreeSet<BackupId> = decisions
            .iter()
            .filter(|(_, decision)| **decision == RetentionDecision::Delete)
            .map(|(id, _)| *id)
            .collect();
        let deleting = self.existing().filter(|entry| self.is_being_deleted(entry));
        decisions.extend(deleting.map(|entry| (entry.backup.id, RetentionDecision::Delete)));
        let due = if rule.dry_run || newer_than_clock.is_some() { Vec::new() } else { self.due(&expired) };
        AppRetention { decisions, expired, due, newer_than_clock }
    }

    /// The `expired` backups whose deletion may be requested now, oldest first.
    fn due(&self, expired: &BTreeSet<BackupId>) -> Vec<BackupId> {
        let may_go = |entry: &&CatalogEntry| {
            expired.contains(&entry.backup.id)
                && !self.unfinished.needs(entry)
                && !failed_recently(entry, self.now)
                && !self.may_be_unfinished(entry)
        };
        let mut due: Vec<&CatalogEntry> = self.existing().filter(may_go).collect();
        due.sort_by_key(|entry| (entry.backup.accepted_at, entry.backup.id));
        let requested = self.existing().next().map_or(0, |entry| self.unfinished.deletions_of(&entry.app));
        due.into_iter().map(|entry| entry.backup.id).take(DELETIONS_MAX.saturating_sub(requested)).collect()
    }

    fn existing(&self) -> impl Iterator<Item = &CatalogEntry> {
        self.entries.iter().copied().filter(|entry| entry.removal.is_none())
    }

    fn is_being_deleted(&self, entry: &CatalogEntry) -> bool {
        self.unfinished.is_deleting(&entry.app, entry.backup.id)
    }

    /// The newest backup, if it is newer than the clock by more than clocks may differ.
    fn newer_than_clock(&self) -> Option<BackupId> {
        let newest = self.existing().max_by_key(|entry| entry.backup.accepted_at)?;
        (newest.backup.accepted_at > self.now + SasWindow::CLOCK_SKEW).then_some(newest.backup.id)
    }

    /// Whether Azure may still be working on it although its run has ended.
    fn may_be_unfinished(&self, entry: &CatalogEntry) -> bool {
        let is_unfinished = entry.origin == Origin::Attempt && entry.backup.finished_at.is_none();
        is_unfinished && entry.backup.accepted_at + MAKING_MAX > self.now
    }
}

/// Whether a deletion of the backup or a refresh of its SAS failed within [`RETRY_AFTER`].
pub(crate) fn failed_recently(entry: &CatalogEntry, now: Timestamp) -> bool {
    entry.last_failure_at.is_some_and(|at| at + RETRY_AFTER > now)
}

#[cfg(test)]
mod tests;
