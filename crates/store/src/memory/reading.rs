//! What only reads.

use std::cmp::Reverse;

use holdfast_model::{AppId, BackupId, CatalogEntry, Delete, Outcome, Run, RunId, RunKind, Task, Timestamp};

use super::state::{Row, State};
use crate::catalog::in_order;
use crate::columns::{self, Ending, stamp};
use crate::enrolment::AppRow;
use crate::intent::Intent;
use crate::{AppStatus, CatalogFilter, LastRun, Loaded, RunFilter};

impl State {
    pub fn load(&self, id: RunId, now: Timestamp) -> Option<Loaded> {
        let run = self.row(id)?.run.clone();
        let good = |row: &Row| {
            let ending = Ending::of(&row.run.state);
            let good = ending.outcome == Some(Outcome::Succeeded) && is_backup(&row.run);
            ending.backup.filter(|_| good).map(|backup| (stamp(backup.accepted_at), row.run.id))
        };
        let last = self.rows_of(&run.app).filter_map(|row| good(row).map(|place| (place, row)));
        let last = last.max_by_key(|(place, _)| *place).map(|(_, row)| &row.run);
        let last = last.and_then(|run| Ending::of(&run.state).backup.map(|backup| (backup, run.ended_at)));
        let subject = run
            .task
            .backup(&run.app)
            .and_then(|(app, id)| self.catalog_of(app).find(|entry| entry.backup.id == id).cloned());
        Some(Loaded {
            now,
            typical: last.and_then(|(backup, ended_at)| columns::took(backup, ended_at)),
            last_good_bytes: last.map(|(backup, _)| backup.size_bytes),
            subject,
            last_good: self.last_good_left(&run.app),
            run,
        })
    }

    /// The latest good backup of an app that is still there, and that no run is about to delete.
    fn last_good_left(&self, app: &AppId) -> Option<BackupId> {
        let left = self.good_left(app);
        left.max_by_key(|entry| (entry.backup.accepted_at, entry.backup.id)).map(|entry| entry.backup.id)
    }

    /// Does anything stand against what `run` begins?
    pub fn is_hindered(&self, run: &Run, intent: Intent<'_>) -> bool {
        let must_stay = matches!(intent, Intent::Delete(delete) if self.must_stay(run, delete));
        must_stay || self.rows().any(|other| intent.is_hindered_by(run, &other.run))
    }

    /// Is a backup held, or, unless even that may go, the only good one that no other run is about to delete?
    fn must_stay(&self, run: &Run, delete: &Delete) -> bool {
        let backup = delete.backup;
        let Some(kept) = self.catalog_of(&run.app).find(|entry| entry.backup.id == backup) else {
            return false;
        };
        let is_only = || !self.good_left(&run.app).any(|other| other.backup.id != backup);
        kept.hold.is_some() || !delete.even_the_last && kept.good && is_only()
    }

    /// The good backups of an app that are still there, and that no run is about to delete.
    fn good_left<'a>(&'a self, app: &'a AppId) -> impl Iterator<Item = &'a CatalogEntry> {
        let is_doomed = move |id: BackupId| {
            let deletes =
                |other: &Row| matches!(&other.run.task, Task::Delete(delete) if delete.backup == id);
            self.rows_of(app).any(|other| !other.run.state.is_ended() && deletes(other))
        };
        let good = self.catalog_of(app).filter(|entry| entry.good && entry.gone.is_none());
        good.filter(move |entry| !is_doomed(entry.backup.id))
    }

    /// The latest good backup of an app that is still there.
    fn last_good(&self, app: &AppId) -> Option<&CatalogEntry> {
        let good = self.catalog_of(app).filter(|entry| entry.good && entry.gone.is_none());
        good.max_by_key(|entry| (entry.backup.accepted_at, entry.backup.id))
    }

    pub fn catalog(&self, filter: &CatalogFilter) -> Vec<CatalogEntry> {
        let [app, after] = [&filter.app, &filter.after].map(|app| app.as_ref().map(ToString::to_string));
        let asked = |name: &String| app.as_ref().is_none_or(|app| app == name) && Some(name) > after.as_ref();
        let of_app = self.catalog.iter().filter(|(name, _)| asked(name)).map(|(_, entries)| {
            let entries = entries.values().filter(|entry| filter.with_gone || entry.gone.is_none());
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
        let running = unfinished.min_by_key(|row| (!row.holds, row.run.created_at, row.run.id));
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
            running: running.map(|row| row.run.state.code()),
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
