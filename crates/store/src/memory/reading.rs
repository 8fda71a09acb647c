//! What only reads.

use std::cmp::Reverse;

use holdfast_model::{Outcome, Run, RunId, RunState, Timestamp};

use super::state::{Row, State};
use crate::columns::{self, Ending, stamp};
use crate::enrolment::AppRow;
use crate::{AppStatus, LastRun, Loaded, RunFilter};

impl State {
    pub fn load(&self, id: RunId, now: Timestamp) -> Option<Loaded> {
        let run = self.row(id)?.run.clone();
        let good = |row: &&Row| Ending::of(&row.run.state).outcome == Some(Outcome::Succeeded);
        let last = self.rows_of(&run.app).filter(good).max_by_key(|row| (row.run.ended_at, row.run.id));
        let last =
            last.and_then(|row| Ending::of(&row.run.state).backup.map(|backup| (backup, row.run.ended_at)));
        Some(Loaded {
            now,
            typical: last.and_then(|(backup, ended_at)| columns::took(backup, ended_at)),
            last_good_bytes: last.map(|(backup, _)| backup.size_bytes),
            subject: None,
            last_good: None,
            run,
        })
    }

    pub fn runs(&self, filter: &RunFilter) -> Vec<Run> {
        let of_state = |row: &&Row| filter.state.is_none_or(|state| row.run.state.code() == state);
        let mut runs: Vec<&Row> = match &filter.app {
            Some(app) => self.rows_of(app).filter(of_state).collect(),
            None => self.rows().filter(of_state).collect(),
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
        let unfinished = self.rows_of(id).filter(|row| !row.run.state.is_ended());
        let running = unfinished.min_by_key(|row| (!row.holds, row.run.created_at, row.run.id));
        let last = self
            .rows_of(id)
            .filter_map(|row| last_run(&row.run))
            .max_by_key(|last| (last.ended_at, last.run_id));
        let good_at = |row: &Row| good_at(&row.run.state, enrolled.partial_is_good);
        let last_good_at = self.rows_of(id).filter_map(good_at).max();
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
    let outcome = ending.outcome.filter(|outcome| *outcome != Outcome::Missed)?;
    Some(LastRun { run_id: run.id, outcome, cause: ending.cause, ended_at: run.ended_at? })
}

fn good_at(state: &RunState, partial_is_good: bool) -> Option<Timestamp> {
    let ending = Ending::of(state);
    let good = match ending.outcome? {
        Outcome::Succeeded => true,
        Outcome::Partial => partial_is_good,
        Outcome::Failed | Outcome::Exhausted | Outcome::Missed => false,
    };
    ending.backup.filter(|_| good).map(|backup| stamp(backup.accepted_at))
}
