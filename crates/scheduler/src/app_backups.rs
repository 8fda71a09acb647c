//! What is owed to the backups of one app: decided from its part of the catalog alone.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_model::retention::{Backup, RetentionDecision, decide};
use holdfast_model::{
    App, BackupFacts, BackupId, CatalogEntry, Delete, Drill, DrillRule, Origin, Policy, RefreshReason,
    RefreshSas, Restore, Run, RunId, SasFacts, SasWindow, StorageName, Task, Timestamp,
};

/// How long a backup or a schedule is left alone after a deletion or a new SAS did not end well: what a person must mend
/// is not mended within the hour.
pub(crate) const TROUBLE: Duration = Duration::from_hours(24);

/// Azure makes no backup for longer: it times out.
const MAKING_MAX: Duration = Duration::from_hours(24);

/// Deletions of one app that are asked for and not done, the oldest backups first. A rule that was written wrong or a
/// clock that runs ahead is seen before it has done all its work: what is deleted is gone, and what is late by some hours
/// harms nobody.
const DELETIONS_MAX: usize = 50;

/// An app of a policy, and its backups that are still there, the newest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept<'a> {
    pub app: &'a App,
    pub policy: &'a Policy,
    pub entries: &'a [CatalogEntry],
    /// Those that a deletion which has not ended takes away.
    pub going: &'a BTreeSet<BackupId>,
    pub now: Timestamp,
}

/// Something to do, to which app, with which storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owed {
    pub app: App,
    /// Where the backup lies: the policy may name another one by now.
    pub storage: StorageName,
    pub task: Task,
}

impl Kept<'_> {
    /// The newest backup, if it is newer than the clock by more than clocks differ.
    pub fn of_the_future(&self) -> Option<&CatalogEntry> {
        let newest = self.entries.iter().max_by_key(|entry| entry.backup.accepted_at)?;
        (newest.backup.accepted_at > self.now + SasWindow::CLOCK_SKEW).then_some(newest)
    }

    /// The backups that nothing keeps. All that the catalog holds are ours to judge: those that somebody else took are
    /// in it because we were told to keep house for them. One that is being deleted stands in for no other any more.
    pub fn doomed(&self) -> BTreeSet<BackupId> {
        let Some(rule) = &self.policy.retention else { return BTreeSet::new() };
        let backup = |entry: &CatalogEntry| Backup {
            id: entry.backup.id,
            accepted_at: entry.backup.accepted_at,
            good: entry.good,
            held: entry.hold.is_some(),
            ours: !self.going.contains(&entry.backup.id),
        };
        let backups: Vec<Backup> = self.entries.iter().map(backup).collect();
        let decisions = decide(rule, &backups, self.policy.schedule.timezone, self.now);
        decisions
            .into_iter()
            .filter(|(_, decision)| *decision == RetentionDecision::Delete)
            .map(|(id, _)| id)
            .collect()
    }

    /// The deletions of `doomed` backups that are to be asked for now. Those that one of `restores` reads wait, and so do
    /// those of runs that are still `at_work`, which fall back on a partial one, and what Azure may still be making.
    pub fn deletions(
        &self,
        doomed: &BTreeSet<BackupId>,
        (restores, at_work): (&[Restore], &BTreeSet<RunId>),
    ) -> Vec<Owed> {
        let oldest_first = self.entries.iter().rev().filter(|entry| doomed.contains(&entry.backup.id));
        let is_read = |BackupFacts { id, blob, .. }: &BackupFacts| {
            restores.iter().any(|restore| restore.reads(&self.app.id, *id, blob))
        };
        let is_free = |entry: &CatalogEntry| !is_read(&entry.backup) && !at_work.contains(&entry.run);
        let is_at_rest = |entry: &CatalogEntry| !self.is_troubled(entry) && !self.may_be_made(entry);
        let due = oldest_first.filter(|entry| is_free(entry) && is_at_rest(entry));
        let delete = |entry: &CatalogEntry| {
            Task::Delete(Delete {
                backup: entry.backup.id,
                blob: entry.backup.blob.clone(),
                allow_last: false,
            })
        };
        due.take(DELETIONS_MAX.saturating_sub(self.going.len()))
            .map(|entry| self.owed(entry, delete(entry)))
            .collect()
    }

    /// The backups whose SAS at Azure lapses within `margin` or is not known, but for those that `go`: a deletion sees
    /// to its SAS itself. A SAS that does not tell its expiry is left to whoever made it.
    pub fn lapsing(&self, margin: Duration, go: &BTreeSet<BackupId>) -> Vec<&CatalogEntry> {
        let lapses = |entry: &CatalogEntry| match &entry.sas {
            None => true,
            Some(sas) => sas.window.expiry.is_some_and(|expiry| expiry < self.now + margin),
        };
        let due = |entry: &&CatalogEntry| {
            !go.contains(&entry.backup.id) && lapses(entry) && !self.is_troubled(entry)
        };
        self.entries.iter().filter(due).collect()
    }

    /// The refresh of a backup's SAS, unless one of `asked` makes it useless: a source that had no newer SAS is asked
    /// again the next day, and one whose SAS are short each time `margin` has passed.
    pub fn refresh(&self, entry: &CatalogEntry, margin: Duration, asked: &[Run]) -> Option<Owed> {
        let of = |sas: &Option<SasFacts>| sas.as_ref().map(|sas| sas.fingerprint.clone());
        let is_useless = |run: &Run| match &run.task {
            Task::RefreshSas(refresh) if refresh.backup == entry.backup.id => {
                let wait = if of(&refresh.old) == of(&entry.sas) { TROUBLE } else { margin };
                run.created_at + wait > self.now
            }
            _ => false,
        };
        let (reason, old) = (RefreshReason::KeptBackup, entry.sas.clone());
        let task = Task::RefreshSas(RefreshSas { backup: entry.backup.id, reason, old });
        (!asked.iter().any(is_useless)).then(|| self.owed(entry, task))
    }

    /// The rule by which a drill is due, as far as the backups that are still there tell.
    pub fn drill_due(&self) -> Option<&DrillRule> {
        // A scratch app may be in a policy too: nothing is restored over its own source.
        let rule = self.policy.drill.as_ref().filter(|rule| rule.into != self.app.id)?;
        rule.is_due(last_drill(self.entries), self.now).then_some(rule)
    }

    /// A drill of the newest good backup that will be left into `scratch`.
    pub fn drill(&self, rule: &DrillRule, scratch: App) -> Option<Owed> {
        let good = self.entries.iter().filter(|entry| entry.good && !self.going.contains(&entry.backup.id));
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
        Some(Owed { app: scratch, storage: newest.storage.clone(), task })
    }

    fn owed(&self, entry: &CatalogEntry, task: Task) -> Owed {
        Owed { app: self.app.clone(), storage: entry.storage.clone(), task }
    }

    /// May Azure still be making it, though its run waits no longer? It could finish what was deleted meanwhile.
    fn may_be_made(&self, entry: &CatalogEntry) -> bool {
        let is_unfinished = entry.origin == Origin::Attempt && entry.backup.finished_at.is_none();
        is_unfinished && entry.backup.accepted_at + MAKING_MAX > self.now
    }

    fn is_troubled(&self, entry: &CatalogEntry) -> bool {
        entry.last_failure_at.is_some_and(|at| at + TROUBLE > self.now)
    }
}

/// When the last drill of any of these backups ended.
pub(crate) fn last_drill(entries: &[CatalogEntry]) -> Option<Timestamp> {
    entries.iter().filter_map(|entry| entry.drill.map(|(at, _)| at)).max()
}
