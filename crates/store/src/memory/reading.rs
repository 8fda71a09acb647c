//! Operations that only read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{
    AppId, CatalogEntry, Delete, Run, RunEvent, RunId, RunKind, StateCode, Task, Timestamp,
};

use crate::app_days::{AppDay, Day};
use crate::breaker::OpenBreaker;
use crate::change::{HeldLease, Loaded, PastDurations};
use crate::columns::{Ending, stamp};
use crate::filter::{CatalogFilter, RunFilter, RunPlace};
use crate::fleet::Cursor;
use crate::memory::state::{Row, State};
use crate::rules::catalog::in_order;
use crate::rules::enrolment::AppRow;
use crate::rules::generations::Generations;
use crate::rules::holds::{Told, told};
use crate::rules::intent::{Intent, IntentFacts, Rival};
use crate::rules::load::{Baseline, LoadFacts, loaded};
use crate::rules::status::{AppFacts, status};
use crate::rules::subscriptions::of_rows;
use crate::run_rows::{RunPage, RunRow};
use crate::status::{AppStatus, CheckStatus, LastRun, Missed, Pause, Running};
use crate::subscriptions::{ClosedBudget, SubscriptionStatus};

impl State {
    pub fn cursors_due(&self, after: Option<&Cursor>, most: u32, now: Timestamp) -> Vec<Cursor> {
        let pause = |cursor: &Cursor| self.pauses.get(&cursor.app).map(Pause::window);
        let is_due =
            |cursor: &&Cursor| cursor.next_at <= now && pause(cursor).is_none_or(|pause| pause.until <= now);
        let mut due: Vec<&Cursor> = self.cursors.values().filter(is_due).collect();
        let place = |cursor: &Cursor| (stamp(cursor.next_at), cursor.app.to_string());
        let after = after.map(place);
        due.retain(|cursor| after.as_ref().is_none_or(|after| place(cursor) > *after));
        due.sort_by_cached_key(|cursor| place(cursor));
        let unfinished = |cursor: &Cursor| {
            let is_counted = |row: &&Row| {
                row.run.task.kind() == RunKind::Backup
                    && row.run.policy.as_ref() == Some(&cursor.policy)
                    && row.run.state.code() != StateCode::Verifying
            };
            self.unfinished_of(&cursor.app).filter(is_counted).count() as u64
        };
        let due = due.into_iter().take(most as usize);
        let read = |cursor: &Cursor| {
            let (unfinished, pause) = (unfinished(cursor), pause(cursor));
            Cursor { unfinished, pause, ..cursor.clone() }
        };
        due.map(read).collect()
    }

    pub fn subscriptions(&self, now: Timestamp) -> Vec<SubscriptionStatus> {
        let closed = self.budgets.iter().filter_map(|((subscription, call), bucket)| {
            let until = bucket.closed_until.filter(|until| *until > now)?;
            Some((subscription.clone(), ClosedBudget { call: *call, until }))
        });
        of_rows(self.listings.values().cloned().collect(), closed)
    }

    pub fn open_breakers(&self, now: Timestamp) -> Vec<OpenBreaker> {
        let lapsed = stamp(now - OpenBreaker::LAPSES_AFTER);
        self.breakers.values().filter(|breaker| breaker.until >= lapsed).cloned().collect()
    }

    pub fn past_durations(&self) -> BTreeMap<AppId, PastDurations> {
        let of = |app: &AppId| self.baselines(app).filter_map(|run| Baseline::of(run).took).collect();
        let all = self.apps.keys().map(|app| (app.clone(), of(app)));
        all.filter(|(_, durations): &(AppId, PastDurations)| !durations.is_empty()).collect()
    }

    pub fn app_days(&self, since: Day, app: Option<&AppId>) -> Vec<AppDay> {
        let is_asked = |day: &&AppDay| day.day >= since && app.is_none_or(|app| day.app == *app);
        self.days.values().filter(is_asked).cloned().collect()
    }

    pub fn load(&self, id: RunId, now: Timestamp) -> Option<Loaded> {
        let Row { run, leased_until, lease_nonce, .. } = self.row(id)?.clone();
        let is_backup = run.task.kind() == RunKind::Backup;
        let mut facts = LoadFacts {
            baselines: if is_backup {
                self.baselines(&run.app).map(Baseline::of).collect()
            } else {
                Vec::new()
            },
            has_unsettled: is_backup && self.has_unsettled(&run.app),
            subject: run
                .task
                .backup(&run.app)
                .and_then(|(app, id)| self.entry(app, id, run.task.blob()))
                .cloned(),
            is_last: matches!(&run.task, Task::Delete(delete) if self.is_last(&run.app, delete)),
            lease: leased_until.map(|until| HeldLease { until, nonce: lease_nonce }),
        };
        if let (Task::Delete(delete), Some(subject)) = (&run.task, &mut facts.subject)
            && subject.hold.is_none()
        {
            subject.hold = self.held_by_events(&run.app, delete);
        }
        Some(loaded(run, now, facts))
    }

    /// What may stand in the way of what `run` begins.
    pub fn intent_facts(&self, run: &Run, intent: Intent<'_>) -> IntentFacts {
        let deletion = intent.deletion();
        let is_last = |delete: &Delete| self.is_last(&run.app, delete);
        let subject = |delete: &Delete| self.entry(&run.app, delete.backup, Some(&delete.blob)).cloned();
        let is_rival = |row: &&Row| intent.rivals().any(|filter| filter.kind == Some(row.run.task.kind()));
        IntentFacts {
            is_held: deletion.is_some_and(|delete| self.held_by_events(&run.app, delete).is_some()),
            is_last: intent.spares_last() && deletion.is_some_and(is_last),
            subject: deletion.and_then(subject),
            rivals: self.unfinished_tasks().filter(is_rival).map(|row| Rival::of(&row.run)).collect(),
        }
    }

    /// The reason for which the backup that `delete` deletes is held, by the events.
    fn held_by_events(&self, app: &AppId, delete: &Delete) -> Option<String> {
        let of_app = self.audit().iter().rev().filter(|event| event.app == *app);
        of_app
            .map(|event| &event.event)
            .find_map(|event| told(event, delete.backup, &delete.blob))
            .and_then(Told::reason)
    }

    /// Whether no other backup that stands in for this one is there and stays.
    fn is_last(&self, app: &AppId, delete: &Delete) -> bool {
        let kept = self.entry(app, delete.backup, Some(&delete.blob));
        let Some(kept) = kept.filter(|kept| kept.is_counted_on()) else { return false };
        let deletes = |row: &Row, entry: &CatalogEntry| match &row.run.task {
            Task::Delete(delete) => delete.backup == entry.backup.id,
            _ => false,
        };
        let stays = |entry: &CatalogEntry| {
            entry.removal.is_none() && !self.unfinished_of(app).any(|row| deletes(row, entry))
        };
        let mut others = self.catalog_of(app).filter(|other| !std::ptr::eq(*other, kept));
        !others.any(|other| other.stands_in_for(kept) && stays(other))
    }

    pub fn catalog(&self, filter: &CatalogFilter) -> Vec<CatalogEntry> {
        let [app, after] = [&filter.app, &filter.after].map(|app| app.as_ref().map(ToString::to_string));
        let apps: BTreeSet<String> = filter.apps.iter().map(ToString::to_string).collect();
        let is_asked = |name: &String| {
            app.as_ref().is_none_or(|app| app == name)
                && (apps.is_empty() || apps.contains(name))
                && Some(name) > after.as_ref()
        };
        let of_app = self.catalog.iter().filter(|(name, _)| is_asked(name)).map(|(_, entries)| {
            let entries = entries.values().flat_map(Generations::entries);
            let entries = entries.filter(|entry| filter.with_removed || entry.removal.is_none());
            entries.cloned().collect::<Vec<_>>()
        });
        let most = if filter.most_apps == 0 { usize::MAX } else { filter.most_apps as usize };
        in_order(of_app.filter(|entries| !entries.is_empty()).take(most).flatten().collect())
    }

    pub fn runs(&self, filter: &RunFilter) -> Vec<Run> {
        let is_asked = |row: &&Row| {
            filter.state.is_none_or(|state| row.run.state.code() == state)
                && filter.kind.is_none_or(|kind| row.run.task.kind() == kind)
                && !(filter.unfinished && row.run.state.is_ended())
                && filter.trigger.is_none_or(|trigger| row.run.trigger == trigger)
                && ended_as(&row.run, filter)
                && filter.after.is_none_or(|after| place_of(&row.run) < after)
        };
        let is_task = filter.kind.is_some_and(|kind| kind != RunKind::Backup);
        let mut runs: Vec<&Row> = match &filter.app {
            Some(app) => self.rows_of(app).filter(is_asked).collect(),
            None if filter.unfinished && is_task => self.unfinished_tasks().filter(is_asked).collect(),
            None => self.rows().filter(is_asked).collect(),
        };
        runs.sort_by_key(|row| Reverse((row.run.created_at, row.run.id)));
        let most = if filter.most == 0 { usize::MAX } else { filter.most as usize };
        runs.into_iter().take(most).map(|row| row.run.clone()).collect()
    }

    pub fn run_page(&self, after: Option<RunId>, most: u32) -> RunPage {
        let rows = self.rows().filter(|row| Some(row.run.id) > after).take(most as usize);
        let rows: Vec<RunRow> =
            rows.map(|row| RunRow { run: row.run.clone(), odd_columns: Vec::new() }).collect();
        RunPage { last: rows.last().map(|row| row.run.id), rows }
    }

    pub fn status(&self, now: Timestamp) -> Vec<AppStatus> {
        self.apps.values().map(|app| status(self.facts_of(app, now), now)).collect()
    }

    fn facts_of(&self, app: &AppRow, now: Timestamp) -> AppFacts {
        let id = &app.enrolled.app.id;
        let exclusive = self.unfinished_of(id).filter(|row| row.run.task.is_exclusive());
        let running = exclusive.min_by_key(|row| (!row.occupies_app, row.run.created_at, row.run.id));
        AppFacts {
            app: app.clone(),
            next_tick: self.cursors.get(id).map(|cursor| cursor.next_at),
            running: running.map(|row| running_of(&row.run)),
            last: self.last_ended_run(id).and_then(last_run),
            missed: self.last_missed_run(id).and_then(missed_of),
            last_good_at: self.last_good(id).map(|entry| entry.backup.accepted_at),
            sas_expiry: self.last_good(id).and_then(|entry| entry.sas.as_ref()?.window.expiry),
            proven_at: self
                .catalog_of(id)
                .filter_map(|entry| entry.drill)
                .filter(|drill| drill.1)
                .max()
                .map(|drill| drill.0),
            check: self.check_status(id, now),
            pause: self.pauses.get(id).cloned(),
            acknowledged: self.acknowledgements.get(id).cloned(),
        }
    }

    fn check_status(&self, app: &AppId, now: Timestamp) -> CheckStatus {
        let since = now - CheckStatus::LOST_FOR;
        let is_lost = |entry: &&CatalogEntry| {
            entry.is_counted_on() && entry.removal.is_some_and(|gone| !gone.deleted && gone.at > since)
        };
        let check = self.last_check(app);
        let drift = check.and_then(|check| {
            self.events(check.id).into_iter().rev().find_map(|event| match event.event {
                RunEvent::ScheduleCompared { drift, .. } => Some(!drift.is_empty()),
                _ => None,
            })
        });
        CheckStatus {
            last: check.and_then(last_run),
            lost: self.catalog_of(app).filter(is_lost).count() as u64,
            drift: drift.unwrap_or_default(),
        }
    }

    /// The latest good backup of an app that is still there.
    fn last_good(&self, app: &AppId) -> Option<&CatalogEntry> {
        let good = self.catalog_of(app).filter(|entry| entry.good && entry.removal.is_none());
        good.max_by_key(|entry| (entry.backup.accepted_at, entry.backup.id))
    }
}

fn place_of(run: &Run) -> RunPlace {
    RunPlace { created_at: run.created_at, id: run.id }
}

/// Whether a run has ended in the ways and with the cause that a filter asks for, if it asks.
fn ended_as(run: &Run, filter: &RunFilter) -> bool {
    let Ending { outcome, cause, .. } = Ending::of(&run.state);
    let is_of_cause = |wanted| run.state.is_ended() && cause == Some(wanted);
    (filter.outcomes.is_empty() || outcome.is_some_and(|outcome| filter.outcomes.contains(&outcome)))
        && filter.cause.is_none_or(is_of_cause)
}

fn running_of(run: &Run) -> Running {
    Running {
        run_id: run.id,
        kind: run.task.kind(),
        state: run.state.code(),
        cause: Ending::of(&run.state).cause,
        since: run.created_at,
        next_try: run.due_at,
    }
}

fn missed_of(run: &Run) -> Option<Missed> {
    Some(Missed { run_id: run.id, tick: run.tick?, cause: Ending::of(&run.state).cause })
}

fn last_run(run: &Run) -> Option<LastRun> {
    let Ending { outcome, cause, verification, .. } = Ending::of(&run.state);
    Some(LastRun { run_id: run.id, outcome: outcome?, cause, verification, ended_at: run.ended_at? })
}
