//! The tables, and the indexes that follow from them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use holdfast_access::ApiToken;
use holdfast_model::{
    AppId, BackupId, Call, CatalogEntry, Lane, Outcome, PAST_DURATIONS, PolicyName, Run, RunId, RunKind,
    SubscriptionId, Timestamp,
};

use crate::app_days::{AppDay, Day};
use crate::approvals::Approval;
use crate::audit::{AuditEvent, ChainEnd, NewEvent, Placed, chain_rows, places};
use crate::breaker::OpenBreaker;
use crate::checkpoints::CheckpointStatus;
use crate::columns::{Ending, stamp};
use crate::fleet::Cursor;
use crate::notifications::{Notification, NotifierPlace};
use crate::operations::OperationRecord;
use crate::processes::ProcessStatus;
use crate::requests::AnsweredRequest;
use crate::revisions::Revision;
use crate::rules::acquire::Budgets;
use crate::rules::app_days;
use crate::rules::bucket::Bucket;
use crate::rules::catalog_change::Caused;
use crate::rules::enrolment::AppRow;
use crate::rules::generations::Generations;
use crate::rules::load::{baseline_at, is_unsettled};
use crate::rules::subscriptions::Recorded;
use crate::status::{Acknowledgement, Pause};

/// A run with its lease.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub run: Run,
    /// Until when it is leased.
    pub leased_until: Option<Timestamp>,
    /// The number of its latest lease.
    pub lease_nonce: i64,
    /// Whether it occupies its app, its plan and its storage account.
    pub occupies_app: bool,
}

/// The runs that wait in one lane, by priority, then by due time.
pub(super) type Waiting = BTreeMap<(i64, Timestamp), BTreeSet<RunId>>;

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub apps: BTreeMap<AppId, AppRow>,
    pub cursors: BTreeMap<AppId, Cursor>,
    pub ticks: BTreeSet<(PolicyName, AppId, Timestamp)>,
    /// By the app's text, the order of the other stores.
    pub catalog: BTreeMap<String, BTreeMap<BackupId, Generations>>,
    pub budgets: Budgets,
    pub listings: BTreeMap<SubscriptionId, Recorded>,
    pub breakers: BTreeMap<(String, String), OpenBreaker>,
    pub checkpoints: Vec<CheckpointStatus>,
    pub days: BTreeMap<(AppId, Day), AppDay>,
    pub tokens: BTreeMap<String, ApiToken>,
    /// By principal and key.
    pub requests: BTreeMap<(String, String), AnsweredRequest>,
    pub approvals: BTreeMap<RunId, Approval>,
    pub revisions: BTreeMap<u64, Revision>,
    pub processes: BTreeMap<RunId, ProcessStatus>,
    pub operations: BTreeMap<String, OperationRecord>,
    pub notifier: Option<NotifierPlace>,
    pub notifications: BTreeMap<String, Notification>,
    pub pauses: BTreeMap<AppId, Pause>,
    pub acknowledgements: BTreeMap<AppId, Acknowledgement>,
    audit: Vec<AuditEvent>,
    rows: BTreeMap<RunId, Row>,

    // Indexes of the audit.
    events_of: BTreeMap<RunId, Vec<usize>>,

    // Indexes of the rows.
    of_app: BTreeMap<AppId, BTreeSet<RunId>>,
    unfinished: BTreeMap<AppId, BTreeSet<RunId>>,
    /// Unfinished runs of all kinds but backups.
    unfinished_tasks: BTreeSet<RunId>,
    /// The subjects of unfinished runs.
    subjects: BTreeSet<(AppId, String)>,
    /// The last backup run that succeeded and is a baseline.
    baselines: BTreeMap<AppId, BTreeSet<(Timestamp, RunId)>>,
    unsettled: BTreeSet<AppId>,
    /// The last backup run that ended and was neither missed nor cancelled.
    last_ended: BTreeMap<AppId, (Timestamp, RunId)>,
    /// The catalog check that ended and was created last.
    last_check: BTreeMap<AppId, (Timestamp, RunId)>,
    /// The latest missed tick of each app.
    last_missed: BTreeMap<AppId, (Timestamp, RunId)>,
    pub lanes: BTreeMap<Lane, Waiting>,
    pub leases: BTreeSet<(Timestamp, RunId)>,
    /// The run that occupies an app.
    pub occupied: BTreeMap<AppId, RunId>,
}

impl State {
    pub fn row(&self, id: RunId) -> Option<&Row> {
        self.rows.get(&id)
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    pub fn rows_of<'a>(&'a self, app: &AppId) -> impl Iterator<Item = &'a Row> {
        self.of_app.get(app).into_iter().flatten().filter_map(|id| self.rows.get(id))
    }

    pub fn unfinished_of<'a>(&'a self, app: &AppId) -> impl Iterator<Item = &'a Row> {
        self.unfinished.get(app).into_iter().flatten().filter_map(|id| self.rows.get(id))
    }

    /// Unfinished runs of all kinds but backups.
    pub fn unfinished_tasks(&self) -> impl Iterator<Item = &Row> {
        self.unfinished_tasks.iter().filter_map(|id| self.rows.get(id))
    }

    /// Whether a run of the app ended unsettled.
    pub fn has_unsettled(&self, app: &AppId) -> bool {
        self.unsettled.contains(app)
    }

    /// The app's last backups with which later ones are compared, the newest first.
    pub fn baselines(&self, app: &AppId) -> impl Iterator<Item = &Run> {
        let newest = self.baselines.get(app).into_iter().flat_map(|baselines| baselines.iter().rev());
        newest.take(PAST_DURATIONS).filter_map(|(_, id)| self.row(*id)).map(|row| &row.run)
    }

    /// The last backup run of an app that ended and was not missed.
    pub fn last_ended_run(&self, app: &AppId) -> Option<&Run> {
        let (_, id) = self.last_ended.get(app)?;
        self.row(*id).map(|row| &row.run)
    }

    /// The catalog check of an app that ended and was created last.
    pub fn last_check(&self, app: &AppId) -> Option<&Run> {
        let (_, id) = self.last_check.get(app)?;
        self.row(*id).map(|row| &row.run)
    }

    /// The run that records the latest missed tick of an app.
    pub fn last_missed_run(&self, app: &AppId) -> Option<&Run> {
        let (_, id) = self.last_missed.get(app)?;
        self.row(*id).map(|row| &row.run)
    }

    /// Whether an unfinished run has the subject of `run`.
    pub fn is_subject_taken(&self, run: &Run) -> bool {
        subject(run).is_some_and(|subject| self.subjects.contains(&subject))
    }

    /// Writes a row and its indexes.
    pub fn put(&mut self, row: Row) {
        let id = row.run.id;
        if let Some(old) = self.rows.remove(&id) {
            self.unindex(&old);
        }
        self.index(&row);
        self.rows.insert(id, row);
    }

    fn index(&mut self, row: &Row) {
        let (run, id) = (&row.run, row.run.id);
        match (row.leased_until, run.lane()) {
            (Some(until), _) => {
                self.leases.insert((until, id));
            }
            (None, Some(lane)) => {
                self.lanes.entry(lane).or_default().entry(place(run)).or_default().insert(id);
            }
            (None, None) => {}
        }
        if row.occupies_app {
            self.occupied.insert(run.app.clone(), id);
        }
        if run.state.is_ended() {
            self.index_ending(run);
        } else {
            self.unfinished.entry(run.app.clone()).or_default().insert(id);
            if run.task.kind() != RunKind::Backup {
                self.unfinished_tasks.insert(id);
            }
        }
        self.subjects.extend(subject(run));
        self.of_app.entry(run.app.clone()).or_default().insert(id);
    }

    /// Indexes a run that ended, which never changes again.
    fn index_ending(&mut self, run: &Run) {
        let Ending { outcome, .. } = Ending::of(&run.state);
        let later = |index: &mut BTreeMap<AppId, (Timestamp, RunId)>, at: Timestamp| {
            let last = index.entry(run.app.clone()).or_insert((at, run.id));
            *last = (*last).max((at, run.id));
        };
        if run.task.kind() == RunKind::CheckCatalog {
            later(&mut self.last_check, run.created_at);
        }
        if outcome == Some(Outcome::Missed) {
            run.tick.into_iter().for_each(|tick| later(&mut self.last_missed, tick));
            return;
        }
        if run.task.kind() != RunKind::Backup {
            return;
        }
        if let Some(ended_at) = run.ended_at.filter(|_| outcome != Some(Outcome::Cancelled)) {
            later(&mut self.last_ended, ended_at);
        }
        if is_unsettled(run) {
            self.unsettled.insert(run.app.clone());
        }
        if let Some(accepted_at) = baseline_at(run) {
            self.baselines.entry(run.app.clone()).or_default().insert((stamp(accepted_at), run.id));
        }
    }

    fn unindex(&mut self, old: &Row) {
        let (run, id) = (&old.run, old.run.id);
        if let Some(until) = old.leased_until {
            self.leases.remove(&(until, id));
        } else if let Some(lane) = run.lane()
            && let Entry::Occupied(mut waiting) = self.lanes.entry(lane)
        {
            if let Entry::Occupied(mut ids) = waiting.get_mut().entry(place(run)) {
                ids.get_mut().remove(&id);
                if ids.get().is_empty() {
                    ids.remove();
                }
            }
            if waiting.get().is_empty() {
                waiting.remove();
            }
        }
        if old.occupies_app {
            self.occupied.remove(&run.app);
        }
        if let Some(unfinished) = self.unfinished.get_mut(&run.app) {
            unfinished.remove(&id);
        }
        self.unfinished_tasks.remove(&id);
        if let Some(subject) = subject(run) {
            self.subjects.remove(&subject);
        }
    }

    /// Adds the backup runs among `ended` to the days of their apps.
    pub fn add_to_days<'a>(&mut self, ended: impl IntoIterator<Item = &'a Run>) {
        for new in app_days::added(ended) {
            match self.days.entry((new.app.clone(), new.day)) {
                Entry::Occupied(mut day) => app_days::add(day.get_mut(), new),
                Entry::Vacant(place) => drop(place.insert(new)),
            }
        }
    }

    /// Applies changes to the catalog.
    pub fn change_catalog(&mut self, changes: Vec<Caused>) {
        for caused in changes {
            let (app, id) = caused.change.number();
            self.catalog.entry(app.to_string()).or_default().entry(id).or_default().apply(caused);
        }
    }

    /// The catalog entries of an app.
    pub fn catalog_of(&self, app: &AppId) -> impl Iterator<Item = &CatalogEntry> {
        let of_app = self.catalog.get(&app.to_string()).into_iter().flat_map(BTreeMap::values);
        of_app.flat_map(Generations::entries)
    }

    /// The catalog entry of the backup of a number that has this blob, or else of the current one of the number.
    pub fn entry(&self, app: &AppId, backup: BackupId, blob: Option<&str>) -> Option<&CatalogEntry> {
        self.catalog.get(&app.to_string())?.get(&backup)?.find(blob)
    }

    /// Appends events to the audit and returns their places.
    pub fn append(&mut self, events: &[NewEvent<'_>]) -> Vec<Placed> {
        let mut end = ChainEnd::origin();
        if let Some(last) = self.audit.last() {
            (end.link, end.at) = (last.link.clone(), last.at);
        }
        let placed = places(&end, events);
        for ((row, new), place) in chain_rows(&mut end, events, &placed).into_iter().zip(events).zip(&placed)
        {
            let (run_id, app, event) = (new.run.id, new.run.app.clone(), new.event.clone());
            self.events_of.entry(run_id).or_default().push(self.audit.len());
            let (link, database_role) = (row.link, row.database_role);
            self.audit.push(AuditEvent { link, at: place.at, run_id, app, database_role, event });
        }
        placed
    }

    pub fn audit(&self) -> &[AuditEvent] {
        &self.audit
    }

    pub fn events(&self, run: RunId) -> Vec<AuditEvent> {
        let places = self.events_of.get(&run).into_iter().flatten();
        places.filter_map(|place| self.audit.get(*place)).cloned().collect()
    }

    pub fn bucket(&mut self, subscription: &SubscriptionId, call: Call, now: Timestamp) -> &mut Bucket {
        self.budgets.entry((subscription.clone(), call)).or_insert_with(|| Bucket::full(now))
    }
}

/// The subject that an unfinished run occupies.
fn subject(run: &Run) -> Option<(AppId, String)> {
    let subject = run.task.subject().filter(|_| !run.state.is_ended())?;
    Some((run.app.clone(), subject))
}

fn place(run: &Run) -> (i64, Timestamp) {
    (run.priority.rank(), run.due_at)
}
