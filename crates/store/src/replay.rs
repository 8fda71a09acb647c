//! What the audit's events say that the rows hold.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{
    AppId, BackupId, CatalogEntry, Fold, OperatorAction, PolicyName, Run, RunEvent, RunId, RunState, Tags,
    Task, Timestamp, Trigger,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::audit::{AuditEvent, Placed};
use crate::columns::{json, stamp};
use crate::difference::fields;
use crate::rules::catalog::changes;
use crate::rules::generations::Generations;
use crate::rules::instructions::Instructions;

/// The rows that follow from the events of an audit, event by event.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    runs: BTreeMap<RunId, ReplayedRun>,
    catalog: BTreeMap<AppId, BTreeMap<BackupId, Generations>>,
    enrolments: BTreeMap<AppId, Enrolment>,
    instructions: Instructions,
    /// Events that no state of their run allows.
    illegal: Vec<String>,
}

/// A run as its events tell it. One that has ended is kept as a digest, because there may be millions.
#[derive(Debug)]
struct ReplayedRun {
    birth: Birth,
    state: ReplayedState,
}

#[derive(Debug)]
enum ReplayedState {
    Open(Box<Fold>),
    Ended([u8; 32]),
}

/// What the first event of a run says that it was created with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Birth {
    app: AppId,
    tick: Option<Timestamp>,
    trigger: Option<Trigger>,
    #[serde(skip)]
    task: Option<Task>,
}

/// An app's place in the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Enrolment {
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// Its tags.
    pub tags: Tags,
    /// Whether its scheduled runs are suspended.
    pub paused: bool,
    /// Whether it left the fleet.
    pub removed: bool,
}

impl Replay {
    /// Adds the next event. `row` is the row of its run: it has the policy and the storage, which events do not repeat.
    pub fn add(&mut self, event: &AuditEvent, row: Option<&Run>) {
        let AuditEvent { link, at, run_id, app, event, .. } = event;
        let before = self.advance(*run_id, app, link.seq, event);
        if let RunEvent::ActionRecorded { action, .. } = event {
            self.act(app, action);
            self.instructions.add(app, event, *at);
        }
        let Some(row) = row else { return };
        let place = Placed { seq: link.seq, at: *at };
        for caused in changes(before.as_ref(), row, std::slice::from_ref(event), &[place]) {
            let (app, id) = caused.change.number();
            self.catalog.entry(app).or_default().entry(id).or_default().apply(caused);
        }
    }

    /// Moves the run. Returns its state before the event.
    fn advance(&mut self, id: RunId, app: &AppId, seq: i64, event: &RunEvent) -> Option<RunState> {
        let Some(run) = self.runs.get_mut(&id) else {
            let state = match Fold::of([event]) {
                Ok(fold) => ReplayedState::of(fold),
                Err(error) => {
                    self.illegal.push(format!("event {seq} of run {id}: {error}"));
                    return None;
                }
            };
            self.runs.insert(id, ReplayedRun { birth: Birth::of(app, event), state });
            return None;
        };
        let ReplayedState::Open(fold) = &mut run.state else {
            self.illegal.push(format!("event {seq} of run {id} follows its end"));
            return None;
        };
        if run.birth.app != *app {
            self.illegal.push(format!("event {seq} of run {id} is of another app than its run"));
        }
        let before = fold.state.clone();
        match fold.advance(event) {
            Ok(()) if fold.state.is_ended() => run.state = ReplayedState::Ended(digest(fold)),
            Ok(()) => {}
            Err(error) => self.illegal.push(format!("event {seq} of run {id}: {error}")),
        }
        Some(before)
    }

    fn act(&mut self, app: &AppId, action: &OperatorAction) {
        match action {
            OperatorAction::Enrolled { policy, paused, tags } => {
                let (policy, tags) = (policy.clone(), tags.clone());
                let enrolment = Enrolment { policy, tags, paused: *paused, removed: false };
                self.enrolments.insert(app.clone(), enrolment);
            }
            OperatorAction::RowRemoved { table, key, .. } => self.forget(table, key),
            _ => {
                let Some(enrolment) = self.enrolments.get_mut(app) else { return };
                match action {
                    OperatorAction::PolicyChanged { policy } => enrolment.policy.clone_from(policy),
                    OperatorAction::TagsChanged { tags } => enrolment.tags.clone_from(tags),
                    OperatorAction::Paused => enrolment.paused = true,
                    OperatorAction::Resumed => enrolment.paused = false,
                    OperatorAction::LeftFleet { .. } => enrolment.removed = true,
                    _ => {}
                }
            }
        }
    }

    /// Forgets a row that was set aside.
    fn forget(&mut self, table: &str, key: &str) {
        let app = |text: &str| text.parse::<AppId>().ok();
        match table {
            "runs" => {
                key.parse().ok().and_then(|id: RunId| self.runs.remove(&id));
            }
            "apps" => {
                app(key).and_then(|app| self.enrolments.remove(&app));
            }
            "catalog" => {
                let mut parts = key.rsplitn(3, ' ');
                let numbers =
                    [parts.next(), parts.next()].map(|text| text.and_then(|text| text.parse().ok()));
                let ([Some(generation), Some(id)], Some(app)) = (numbers, parts.next().and_then(app)) else {
                    return;
                };
                let of_app = self.catalog.get_mut(&app);
                if let Some(number) = of_app.and_then(|of_app| of_app.get_mut(&BackupId(id))) {
                    number.remove(generation);
                }
            }
            _ => {}
        }
    }

    /// Events that no state of their run allows.
    pub fn illegal(&self) -> &[String] {
        &self.illegal
    }

    /// The runs that have events.
    pub fn runs(&self) -> impl Iterator<Item = RunId> {
        self.runs.keys().copied()
    }

    /// The apps whose backups the events name.
    pub fn apps(&self) -> impl Iterator<Item = &AppId> {
        self.catalog.keys()
    }

    /// The apps that were enrolled, as the events leave them.
    pub fn enrolments(&self) -> &BTreeMap<AppId, Enrolment> {
        &self.enrolments
    }

    /// What people instructed about apps, as the events leave it.
    pub fn instructions(&self) -> &Instructions {
        &self.instructions
    }

    /// What is wrong with the row of a run; `None` for a row that follows from its events.
    pub fn run_difference(&self, id: RunId, row: Option<&Run>) -> Option<String> {
        let (replayed, row) = match (self.runs.get(&id), row) {
            (Some(replayed), Some(row)) => (replayed, row),
            (Some(_), None) => return Some(format!("run {id} has events and no row")),
            (None, Some(_)) => return Some(format!("run {id} has a row and no event")),
            (None, None) => return None,
        };
        let birth = Birth { task: None, ..replayed.birth.clone() };
        let of_row = Birth {
            app: row.app.clone(),
            tick: birth.tick.and(row.tick),
            trigger: birth.trigger.and(Some(row.trigger)),
            task: None,
        };
        let is_task = replayed.birth.task.as_ref().is_none_or(|task| *task == row.task);
        let fold = Fold { state: row.state.clone(), failure_counts: row.failure_counts.clone() };
        let mut found = fields(&birth, &of_row);
        if !is_task {
            found.push("its task is not the one that was planned".to_owned());
        }
        match &replayed.state {
            ReplayedState::Open(replayed) => {
                found.extend(fields(&replayed.state, &fold.state));
                found.extend(fields(&replayed.failure_counts, &fold.failure_counts));
            }
            ReplayedState::Ended(replayed) if *replayed != digest(&fold) => {
                found.push("its state or its failures are not those that its events lead to".to_owned());
            }
            ReplayedState::Ended(_) => {}
        }
        (!found.is_empty()).then(|| format!("run {id}: {}", found.join("; ")))
    }

    /// What is wrong with the catalog of an app, given all of its rows.
    pub fn catalog_differences(&self, app: &AppId, rows: &[CatalogEntry]) -> Vec<String> {
        let mut expected: BTreeMap<BackupId, Vec<CatalogEntry>> = BTreeMap::new();
        for (id, number) in self.catalog.get(app).into_iter().flatten() {
            expected.insert(*id, number.entries().cloned().collect());
        }
        let mut found: BTreeMap<BackupId, Vec<CatalogEntry>> = BTreeMap::new();
        for row in rows {
            found.entry(row.backup.id).or_default().push(row.clone());
        }
        let ids: BTreeSet<BackupId> = expected.keys().chain(found.keys()).copied().collect();
        let mut differences = Vec::new();
        for id in ids {
            let [mut expected, mut found] =
                [&mut expected, &mut found].map(|all| all.remove(&id).unwrap_or_default());
            // What is equal is left out, so that a missing row does not shift the others.
            expected.retain(|entry| match found.iter().position(|row| fields(entry, row).is_empty()) {
                Some(place) => {
                    found.remove(place);
                    false
                }
                None => true,
            });
            let of = |entry: &CatalogEntry| format!("backup {id} of {app} in {}", entry.backup.blob);
            while let (Some(entry), Some(row)) = (expected.first(), found.first()) {
                differences.push(format!("{}: {}", of(entry), fields(entry, row).join("; ")));
                expected.remove(0);
                found.remove(0);
            }
            differences.extend(expected.iter().map(|entry| format!("{} has events and no row", of(entry))));
            differences.extend(found.iter().map(|row| format!("{} has a row and no event", of(row))));
        }
        differences
    }
}

impl ReplayedState {
    fn of(fold: Fold) -> Self {
        if fold.state.is_ended() { Self::Ended(digest(&fold)) } else { Self::Open(Box::new(fold)) }
    }
}

impl Birth {
    fn of(app: &AppId, event: &RunEvent) -> Self {
        let app = app.clone();
        match event {
            RunEvent::Planned { tick, trigger, task, .. } => {
                Self { app, tick: tick.map(stamp), trigger: Some(*trigger), task: Some(task.clone()) }
            }
            RunEvent::Missed { tick, .. } => {
                Self { app, tick: Some(stamp(*tick)), trigger: None, task: None }
            }
            RunEvent::ActionRecorded { action, .. } => {
                let task = Some(Task::OperatorAction { action: action.clone() });
                Self { app, tick: None, trigger: None, task }
            }
            _ => Self { app, tick: None, trigger: None, task: None },
        }
    }
}

fn digest(fold: &Fold) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(json(&fold.state));
    hasher.update([0]);
    hasher.update(json(&fold.failure_counts));
    hasher.finalize().into()
}
