//! Sync: the difference between the enrolled fleet and the fleet file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_model::{
    App, AppId, DepartureReason, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName, Timestamp,
};

use crate::columns::stamp;
use crate::fleet::{Cursor, Departure, Enrolled, FleetChange, Observation};
use crate::status::Departed;

/// An enrolled app as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppRow {
    /// As the fleet file names it, without the schedule, which is in the cursor.
    pub enrolled: Enrolled,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// When and why it left the fleet.
    pub departed: Option<Departed>,
}

impl AppRow {
    /// Whether the row was written after `observed_at`. A row from after `now` has the time of a wrong clock.
    fn is_newer_than(&self, observed_at: Option<Timestamp>, now: Timestamp) -> bool {
        let written_at = self.enrolled.observation.observed_at.max(self.departed.map(|departed| departed.at));
        observed_at.is_some_and(|observed_at| written_at > Some(stamp(observed_at)))
            && written_at <= Some(now)
    }
}

/// What a sync writes.
#[derive(Debug, Default)]
pub(crate) struct Sync<'a> {
    /// Apps to insert or overwrite.
    pub apps: Vec<AppRow>,
    /// Cursors to insert or overwrite.
    pub cursors: Vec<Cursor>,
    /// Apps whose cursors to delete.
    pub dropped: Vec<AppId>,
    /// Records of departures to insert.
    pub records: Vec<&'a NewRun>,
    /// Records of enrolments, and of changes of them, to insert.
    pub changes: Vec<NewRun>,
    /// The counts.
    pub change: FleetChange,
}

/// What to enrol, and what leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub fleet: &'a [Enrolled],
    pub departed: &'a [Departure],
}

/// The time of a sync, and a number that no other sync at that time has: the last event's place in the audit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SyncPoint {
    pub now: Timestamp,
    pub seq: i64,
}

/// Who enrols apps, in the audit.
const ACTOR: &str = "fleet file";

/// The difference, given the apps and cursors in the store.
pub(crate) fn sync<'a>(
    apps: &BTreeMap<AppId, AppRow>,
    cursors: &BTreeMap<AppId, Cursor>,
    Wanted { fleet, departed }: Wanted<'a>,
    SyncPoint { now, seq }: SyncPoint,
) -> Sync<'a> {
    // Far from the small seeds that tests draw their ids from.
    let mut rng = fastrand::Rng::with_seed(
        seq.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x656e_726f_6c6d_656e,
    );
    let named: BTreeMap<&AppId, &Enrolled> =
        fleet.iter().map(|enrolled| (&enrolled.app.id, enrolled)).collect();
    let mut sync = Sync::default();
    for (id, enrolled) in &named {
        let known = apps.get(*id);
        if known.is_some_and(|row| row.is_newer_than(enrolled.observation.observed_at, now)) {
            continue;
        }
        let old = known.filter(|row| row.departed.is_none());
        let rescheduled = sync.reschedule(enrolled, cursors.get(*id), old.is_none(), now);
        let row = AppRow {
            enrolled: kept(enrolled, old.map(|row| &row.enrolled)),
            enrolled_at: old.map_or(now, |row| row.enrolled_at),
            departed: None,
        };
        for action in actions(old, &row) {
            sync.changes.push(record(&row.enrolled.app, action, now, &mut rng));
        }
        match old {
            None => sync.change.added += 1,
            Some(old) if rescheduled || !old.is_same(&row) => sync.change.changed += 1,
            Some(_) => {}
        }
        if old != Some(&row) {
            sync.apps.push(row);
        }
    }
    // One app may be proved gone twice; a statement writes each row once.
    let mut left = BTreeSet::new();
    for departure in departed.iter().filter(|departure| !named.contains_key(&departure.app)) {
        if !left.insert(&departure.app) {
            continue;
        }
        let row = apps.get(&departure.app).filter(|row| row.departed.is_none());
        if let Some(row) = row.filter(|row| !row.is_newer_than(Some(departure.observed_at), now)) {
            sync.depart(row, departure, cursors.contains_key(&departure.app), now);
        }
    }
    sync
}

/// What the audit says about the change of an enrolment.
fn actions(old: Option<&AppRow>, new: &AppRow) -> Vec<OperatorAction> {
    let App { policy, paused, tags, .. } = &new.enrolled.app;
    let Some(old) = old else {
        let (policy, tags) = (policy.clone(), tags.clone());
        return vec![OperatorAction::Enrolled { policy, paused: *paused, tags }];
    };
    let old = &old.enrolled.app;
    let policy = (old.policy != *policy).then(|| OperatorAction::PolicyChanged { policy: policy.clone() });
    let retagged = (old.tags != *tags).then(|| OperatorAction::TagsChanged { tags: tags.clone() });
    let is_paused = match (old.paused, paused) {
        (false, true) => Some(OperatorAction::Paused),
        (true, false) => Some(OperatorAction::Resumed),
        _ => None,
    };
    policy.into_iter().chain(retagged).chain(is_paused).collect()
}

/// The record of an action. It sends nothing, so its policy snapshot has no storage.
fn record(app: &App, action: OperatorAction, now: Timestamp, rng: &mut fastrand::Rng) -> NewRun {
    let snapshot = PolicySnapshot::new(StorageName::new("none"), "");
    NewRun::operator_action(RunId::new(now, rng), app, &snapshot, action, ACTOR.into(), now)
}

/// An enrolment as rows hold it: the cursor has its schedule, runs have its databases, and objectives are whole seconds.
/// What an enrolment does not know, the plan and when Azure showed the app, stays as it is in `old`.
fn kept(enrolled: &Enrolled, old: Option<&Enrolled>) -> Enrolled {
    let objective =
        enrolled.recovery_point_objective.map(|objective| Duration::from_secs(objective.as_secs()));
    let plan = enrolled.app.plan.clone().or_else(|| old?.app.plan.clone());
    let app = App { databases: Vec::new(), plan, ..enrolled.app.clone() };
    let Observation { observed_at, missing_since, owed: _ } = enrolled.observation;
    let observation = Observation {
        observed_at: observed_at.map(stamp).or_else(|| old?.observation.observed_at),
        missing_since: missing_since.map(stamp),
        owed: None,
    };
    Enrolled { app, schedule: None, recovery_point_objective: objective, observation, ..enrolled.clone() }
}

impl AppRow {
    /// Whether it differs from `other` at most in when Azure showed it.
    fn is_same(&self, other: &Self) -> bool {
        let observation = self.enrolled.observation;
        let enrolled = Enrolled { observation, ..other.enrolled.clone() };
        let is_missing = |row: &Self| row.enrolled.observation.missing_since.is_some();
        *self == Self { enrolled, ..other.clone() } && is_missing(self) == is_missing(other)
    }
}

impl<'a> Sync<'a> {
    fn depart(&mut self, row: &AppRow, departure: &'a Departure, has_cursor: bool, now: Timestamp) {
        let departed = Some(Departed { at: now, reason: departure.reason });
        self.apps.push(AppRow { departed, ..row.clone() });
        self.records.push(&departure.record);
        self.dropped.extend(has_cursor.then(|| departure.app.clone()));
        self.change.removed += 1;
        self.change.not_found += u64::from(departure.reason == DepartureReason::NotFound);
    }

    /// Adds what to do with an app's cursor; true when its schedule changed.
    fn reschedule(
        &mut self,
        enrolled: &Enrolled,
        old: Option<&Cursor>,
        is_new: bool,
        now: Timestamp,
    ) -> bool {
        let app = &enrolled.app.id;
        let (Some(policy), Some((fingerprint, next_at))) = (&enrolled.app.policy, &enrolled.schedule) else {
            self.dropped.extend(old.map(|_| app.clone()));
            return old.is_some();
        };
        let next_at = stamp(*next_at);
        let owed = enrolled.observation.owed.filter(|owed| is_new && old.is_none() && owed.since < now);
        let same = old.filter(|old| old.policy == *policy && old.fingerprint == *fingerprint);
        let through = match same {
            Some(old) if old.next_at <= next_at => return false,
            // A wrong clock moved it ahead. What it considered before now stays considered.
            Some(old) => old.through.min(now),
            None => owed.map_or(now, |owed| stamp(owed.since)),
        };
        let next_at = owed.map_or(next_at, |owed| stamp(owed.next_at));
        self.cursors.push(Cursor {
            app: app.clone(),
            policy: policy.clone(),
            fingerprint: fingerprint.clone(),
            through,
            next_at,
            unfinished: 0,
            pause: None,
        });
        same.is_none()
    }
}
