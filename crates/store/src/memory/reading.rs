//! What only reads.

use std::cmp::Reverse;

use holdfast_model::{
    AppId, BackupFacts, BackupId, CatalogEntry, Delete, Outcome, Run, RunId, RunKind, Task, Timestamp,
};

use super::state::{Row, State};
use crate::catalog::in_order;
use crate::columns::{self, Ending, stamp};
use crate::enrolment::AppRow;
use crate::intent::Intent;
use crate::{AppStatus, CatalogFilter, LastRun, Loaded, RunFilter, Running};

impl State {
    pub fn load(&self, id: RunId, now: Timestamp) -> Option<Loaded> {
        let run = self.row(id)?.run.clone();
        let last = Some(&run).filter(|run| is_backup(run)).and_then(|run| self.last_good_run(&run.app));
        let subject = run
            .task
            .backup(&run.app)
            .and_then(|(app, id)| self.catalog_of(app).find(|entry| entry.backup.id == id).cloned());
        Some(Loaded {
            now,
            typical: last.and_then(|(backup, ended_at)| columns::took(backup, ended_at)),
            last_good_bytes: last.map(|(backup, _)| backup.size_bytes),
            is_last: matches!(&run.task, Task::Delete(delete) if self.is_last(&run.app, delete.backup)),
            subject,
            run,
        })
    }

    /// The backup that the last good run of an app made, and when that ended.
    fn last_good_run(&self, app: &AppId) -> Option<(&BackupFacts, Option<Timestamp>)> {
        let good = |row: &Row| {
            let ending = Ending::of(&row.run.state);
            let good = ending.outcome == Some(Outcome::Succeeded) && is_backup(&row.run);
            ending.backup.filter(|_| good).map(|backup| (stamp(backup.accepted_at), row.run.id))
        };
        let last = self.rows_of(app).filter_map(|row| good(row).map(|place| (place, row)));
        let (_, Row { run, .. }) = last.max_by_key(|(place, _)| *place)?;
        Ending::of(&run.state).backup.map(|backup| (backup, run.ended_at))
    }

    /// Does anything stand against what `run` begins?
    pub fn is_hindered(&self, run: &Run, intent: Intent<'_>) -> bool {
        let must_stay = matches!(intent, Intent::Delete(delete) if self.must_stay(&run.app, delete));
        must_stay || self.rows().any(|other| intent.is_hindered_by(run, &other.run))
    }

    /// Is a backup held, or, unless even that may go, the last one?
    fn must_stay(&self, app: &AppId, delete: &Delete) -> bool {
        let is_it = |entry: &&CatalogEntry| entry.backup.id == delete.backup;
        let is_held = self.catalog_of(app).find(is_it).is_some_and(|kept| kept.hold.is_some());
        is_held || !delete.allow_last && self.is_last(app, delete.backup)
    }

    /// Is nothing that stands in for the backup still there and not about to be deleted?
    fn is_last(&self, app: &AppId, backup: BackupId) -> bool {
        let is_it = |entry: &&CatalogEntry| entry.backup.id == backup;
        let Some(kept) = self.catalog_of(app).find(is_it).filter(|kept| kept.is_counted_on()) else {
            return false;
        };
        let goes = |other: &CatalogEntry| {
            let deletes =
                |row: &Row| matches!(&row.run.task, Task::Delete(delete) if delete.backup == other.backup.id);
            self.rows_of(app).any(|row| !row.run.state.is_ended() && deletes(row))
        };
        let mut others = self.catalog_of(app).filter(|other| !is_it(other) && other.removal.is_none());
        !others.any(|other| other.stands_in_for(kept) && !goes(other))
    }

    /// The latest good backup of an app that is still there.
    fn last_good(&self, app: &AppId) -> Option<&CatalogEntry> {
        let good = self.catalog_of(app).filter(|entry| entry.good && entry.removal.is_none());
        good.max_by_key(|entry| (entry.backup.accepted_at, entry.backup.id))
    }

    pub fn catalog(&self, filter: &CatalogFilter) -> Vec<CatalogEntry> {
        let [app, after] = [&filter.app, &filter.after].map(|app| app.as_ref().map(ToString::to_string));
        let asked = |name: &String| app.as_ref().is_none_or(|app| app == name) && Some(name) > after.as_ref();
        let of_app = self.catalog.iter().filter(|(name, _)| asked(name)).map(|(_, entries)| {
            let entries = entries.values().filter(|entry| filter.with_removed || entry.removal.is_none());
            entries.cloned().collect::<Vec<_>>()
        });
        let most = if filter.most_apps == 0 { usize::MAX } else { filter.most_apps as usize };
        in_order(of_app.filter(|entries| !entries.is_empty()).take(most).flatten().collect())
    }

    pub fn runs(&self, filter: &RunFilter) -> Vec<Run> {
        let asked = |row: &&Row| {
            filter.state.is_none_or(|state| row.run.state.code() == state)
                && filter.kind.is_none_or(|kind| row.run.task.kind() == kind)
                && !(filter.unfinished && row.run.state.is_ended())
        };
        let mut runs: Vec<&Row> = match &filter.app {
            Some(app) => self.rows_of(app).filter(asked).collect(),
            None => self.rows().filter(asked).collect(),
        };
        runs.sort_by_key(|row| Reverse((row.run.created_at, row.run.id)));
        let most = if filter.most == 0 { usize::MAX } else { filter.most as usize };
        runs.into_iter().take(most).map(|row| row.run.clone()).collect()
    }

    pub fn status(&self, now: Timestamp) -> Vec<AppStatus> {
        self.apps.values().map(|app| self.status_of(app, now)).collect()
    }

    fn status_of(&self, app: &AppRow, now: Timestamp) -> AppStatus {
        let enrolled = &app.enrolled;
        let id = &enrolled.app.id;
        let removed = app.removed_at.is_some();
        let unfinished = |row: &&Row| !row.run.state.is_ended() && row.run.task.is_exclusive();
        let unfinished = self.rows_of(id).filter(unfinished);
        let running = unfinished.min_by_key(|row| (!row.occupies_app, row.run.created_at, row.run.id));
        let last = self
            .rows_of(id)
            .filter_map(|row| last_run(&row.run))
            .max_by_key(|last| (last.ended_at, last.run_id));
        let last_good_at = self.last_good(id).map(|entry| entry.backup.accepted_at);
        let objective = enrolled.recovery_point_objective;
        AppStatus {
            app: id.clone(),
            policy: enrolled.app.policy.clone(),
            removed,
            next_tick: self.cursors.get(id).map(|cursor| cursor.next_at),
            running: running.map(|row| Running { kind: row.run.task.kind(), state: row.run.state.code() }),
            last,
            last_good_at,
            past_objective: !removed
                && columns::past_objective(now, objective, last_good_at, app.enrolled_at),
        }
    }
}

fn last_run(run: &Run) -> Option<LastRun> {
    let ending = Ending::of(&run.state);
    let outcome = ending.outcome.filter(|outcome| *outcome != Outcome::Missed && is_backup(run))?;
    Some(LastRun { run_id: run.id, outcome, cause: ending.cause, ended_at: run.ended_at? })
}

fn is_backup(run: &Run) -> bool {
    run.task.kind() == RunKind::Backup
}
