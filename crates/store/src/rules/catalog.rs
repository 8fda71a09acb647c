//! The catalog as it follows from the events of runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use holdfast_model::{
    AppId, Attempt, BackupFacts, BackupId, CatalogEntry, Cause, Delete, OperatorAction, Origin, Outcome,
    Removal, Run, RunEvent, RunKind, RunState, SasFacts, SasWindow, StorageName, Task, Timestamp,
    Verification,
};

use crate::rules::generations::{Generations, StoredEntry};

/// An app and Azure's number for one of its backups.
pub(crate) type Number = (AppId, BackupId);

/// The backup that a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub app: AppId,
    pub id: BackupId,
    /// Its blob, where that is known; else the change is about the current backup of the number.
    pub blob: Option<String>,
}

/// A change of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CatalogChange {
    /// Adds an entry, or what is newly known of it, at a time.
    Put(Box<CatalogEntry>, Timestamp),
    /// Records the SAS that Azure keeps with it.
    Sas(Subject, SasFacts),
    /// Holds it, for this reason.
    Hold(Subject, String),
    /// Ends the holds of every backup of the number.
    Release(Subject),
    /// Marks it as removed.
    Removal(Subject, Removal),
    /// Records that a deletion, or a refresh of its SAS, did not succeed.
    Failure(Subject, Timestamp),
    /// Records that it is there. A time is when its blob was read.
    Found(Subject, Option<Timestamp>),
    /// Records that Azure lists it otherwise than before.
    Changed(Subject, Box<Listed>),
    /// Adds a backup of a run that had ended, or completes the entry of that backup.
    Late(Box<CatalogEntry>, Timestamp),
    /// Records the end of a drill, and whether it passed.
    Drilled(Subject, Timestamp, bool),
}

/// What Azure lists of a backup that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub at: Timestamp,
    pub backup: BackupFacts,
    /// The differences that the entry does not follow.
    pub differences: Vec<String>,
}

/// The changes that `events` of `run` make. `before` is the run's state before them; `None` for a new run.
pub(crate) fn changes(
    before: Option<&RunState>,
    run: &Run,
    events: &[RunEvent],
    at: Timestamp,
) -> Vec<CatalogChange> {
    let mut state = before.cloned();
    let mut changes = Vec::new();
    for event in events {
        let attempt = state.as_ref().and_then(RunState::attempt);
        changes.extend(change(run, attempt, event, at));
        state = state.map(|state| state.next(event).unwrap_or(state));
    }
    changes
}

fn change(run: &Run, attempt: Option<&Attempt>, event: &RunEvent, at: Timestamp) -> Option<CatalogChange> {
    let of = |id: BackupId, blob: Option<&String>| Subject { app: run.app.clone(), id, blob: blob.cloned() };
    match event {
        RunEvent::Ended { outcome, cause, backup, verification } => {
            let change = ended(run, attempt, (*outcome, *cause, backup), at);
            let is_verified = *verification == Some(Verification::Verified);
            change.map(|change| if is_verified { change.verified(at) } else { change })
        }
        RunEvent::AttemptEnded { backup: Some(backup), .. } if run.task.kind() == RunKind::Backup => {
            Some(put(run, Origin::Attempt, backup.clone(), sas_of(attempt), at))
        }
        RunEvent::OrphanFound { backup: id, name, .. } if run.task.kind() == RunKind::Backup => {
            let (id, blob) = (*id, format!("{name}.zip"));
            let databases = Vec::new();
            let backup =
                BackupFacts { id, blob, size_bytes: 0, accepted_at: at, finished_at: None, databases };
            Some(put(run, Origin::Orphan, backup, None, at))
        }
        RunEvent::Completed { .. } => match &run.task {
            Task::Delete(delete) => Some(deleted(run, delete, Removal { at, deleted: true })),
            _ => None,
        },
        RunEvent::SasRefreshed { refresh } => {
            let subject = of(refresh.backup?, None);
            let blob = run.task.blob().map(str::to_owned);
            Some(CatalogChange::Sas(Subject { blob, ..subject }, refresh.new.clone()))
        }
        RunEvent::ActionRecorded { action, .. } => recorded(run, action, at),
        RunEvent::BackupLost { backup, blob, deletion, .. } => {
            let removal = Removal { at, deleted: deletion.is_some() };
            Some(CatalogChange::Removal(of(*backup, Some(blob)), removal))
        }
        RunEvent::BackupFoundAgain { backup, blob } => {
            Some(CatalogChange::Found(of(*backup, Some(blob)), None))
        }
        RunEvent::BackupVerified { backup, blob, .. } => {
            Some(CatalogChange::Found(of(*backup, Some(blob)), Some(at)))
        }
        RunEvent::BackupChanged { backup, blob, now, differences, .. } => {
            let listed = Listed { at, backup: now.clone(), differences: differences.clone() };
            Some(CatalogChange::Changed(of(*backup, Some(blob)), Box::new(listed)))
        }
        RunEvent::LateBackupFound { backup, run: of, storage, good, verified } => {
            let entry = entry(run, Origin::Orphan, storage, backup.clone(), None);
            let verified_at = verified.then_some(at);
            let entry = CatalogEntry { run: *of, good: *good, verified_at, ..entry };
            Some(CatalogChange::Late(Box::new(entry), at))
        }
        _ => None,
    }
}

fn ended(
    run: &Run,
    attempt: Option<&Attempt>,
    (outcome, cause, backup): (Outcome, Option<Cause>, &Option<BackupFacts>),
    at: Timestamp,
) -> Option<CatalogChange> {
    let (app, id) = match &run.task {
        Task::Backup { .. } => {
            let origin = match outcome {
                Outcome::Succeeded => Origin::Succeeded,
                Outcome::Partial => Origin::Partial,
                Outcome::Failed | Outcome::Exhausted | Outcome::Missed => return None,
            };
            return Some(put(run, origin, backup.clone()?, sas_of(attempt), at));
        }
        task => task.backup(&run.app)?,
    };
    let subject = Subject { app: app.clone(), id, blob: run.task.blob().map(str::to_owned) };
    let well = outcome == Outcome::Succeeded;
    match (&run.task, cause) {
        (Task::Drill(_), _) => Some(CatalogChange::Drilled(subject, at, well)),
        (Task::Delete(_) | Task::RefreshSas(_), _) if well => None,
        (Task::Delete(_), Some(Cause::Protected)) => None,
        (Task::Delete(delete), Some(Cause::BackupNotFound)) => {
            Some(deleted(run, delete, Removal { at, deleted: false }))
        }
        (Task::Delete(_) | Task::RefreshSas(_), _) => Some(CatalogChange::Failure(subject, at)),
        _ => None,
    }
}

/// The removal of a deleted backup.
///
/// It names the blob, because Azure numbers the backups of a recreated app from 1 again: by the end of a deletion the
/// number may be another backup's.
fn deleted(run: &Run, delete: &Delete, removal: Removal) -> CatalogChange {
    let blob = Some(delete.blob.clone());
    CatalogChange::Removal(Subject { app: run.app.clone(), id: delete.backup, blob }, removal)
}

fn recorded(run: &Run, action: &OperatorAction, at: Timestamp) -> Option<CatalogChange> {
    let of = |id: &BackupId| Subject { app: run.app.clone(), id: *id, blob: None };
    match action {
        OperatorAction::Held { backup, reason } => Some(CatalogChange::Hold(of(backup), reason.clone())),
        OperatorAction::Released { backup, .. } => Some(CatalogChange::Release(of(backup))),
        // Without a size only the list was read.
        OperatorAction::Verified { backup, size_bytes } => {
            Some(CatalogChange::Found(of(backup), size_bytes.map(|_| at)))
        }
        OperatorAction::Lost { backup, .. } => {
            Some(CatalogChange::Removal(of(backup), Removal { at, deleted: false }))
        }
        OperatorAction::TakenOver { backup, storage } => {
            let entry = entry(run, Origin::TakenOver, storage, backup.clone(), None);
            Some(CatalogChange::Put(Box::new(entry), at))
        }
        OperatorAction::Revealed { .. }
        | OperatorAction::Drift { .. }
        | OperatorAction::LeftFleet { .. }
        | OperatorAction::RowRemoved { .. }
        | OperatorAction::BudgetsReopened { .. } => None,
    }
}

fn put(
    run: &Run,
    origin: Origin,
    backup: BackupFacts,
    sas: Option<SasFacts>,
    at: Timestamp,
) -> CatalogChange {
    CatalogChange::Put(Box::new(entry(run, origin, &run.policy_snapshot.storage, backup, sas)), at)
}

fn entry(
    run: &Run,
    origin: Origin,
    storage: &StorageName,
    backup: BackupFacts,
    sas: Option<SasFacts>,
) -> CatalogEntry {
    let good = match origin {
        Origin::Succeeded | Origin::TakenOver => true,
        // Reachable partial backups are checked before they count as good.
        Origin::Partial => run.policy_snapshot.partial_is_good,
        Origin::Attempt | Origin::Orphan => false,
    };
    CatalogEntry {
        app: run.app.clone(),
        run: run.id,
        policy: run.policy.clone(),
        storage: storage.clone(),
        backup,
        origin,
        good,
        sas,
        hold: None,
        removal: None,
        last_failure_at: None,
        verified_at: None,
        drill: None,
        change: None,
    }
}

/// The SAS that Azure keeps with the backup of an attempt.
fn sas_of(attempt: Option<&Attempt>) -> Option<SasFacts> {
    let Attempt { sas, sas_expiry, .. } = attempt.filter(|attempt| !attempt.sas.is_empty())?;
    let window = SasWindow { start: None, expiry: *sas_expiry };
    Some(SasFacts { fingerprint: sas.clone(), window })
}

impl CatalogChange {
    /// The same change, by a run that found the backup whole.
    fn verified(mut self, at: Timestamp) -> Self {
        if let Self::Put(entry, _) = &mut self {
            entry.verified_at = Some(at);
        }
        self
    }

    /// The app and Azure's number of the backup.
    pub fn number(&self) -> Number {
        match self {
            Self::Put(entry, _) | Self::Late(entry, _) => (entry.app.clone(), entry.backup.id),
            Self::Sas(of, _)
            | Self::Hold(of, _)
            | Self::Release(of)
            | Self::Removal(of, _)
            | Self::Failure(of, _)
            | Self::Found(of, _)
            | Self::Changed(of, _)
            | Self::Drilled(of, _, _) => (of.app.clone(), of.id),
        }
    }
}

/// The entries after a batch of changes, given those of the numbers that the changes touch.
pub(crate) fn applied(
    read: Vec<StoredEntry>,
    changes: Vec<CatalogChange>,
) -> impl Iterator<Item = StoredEntry> {
    let mut numbers: BTreeMap<Number, Generations> = BTreeMap::new();
    for StoredEntry { generation, entry } in read {
        let number = (entry.app.clone(), entry.backup.id);
        numbers.entry(number).or_default().insert(generation, entry);
    }
    for change in changes {
        numbers.entry(change.number()).or_default().apply(change);
    }
    numbers.into_values().flat_map(Generations::into_entries)
}

/// Sorts by app, newest first.
pub(crate) fn in_order(mut entries: Vec<CatalogEntry>) -> Vec<CatalogEntry> {
    let place = |entry: &CatalogEntry| {
        let BackupFacts { accepted_at, id, blob, .. } = &entry.backup;
        (entry.app.to_string(), Reverse((*accepted_at, *id)), blob.clone())
    };
    entries.sort_by_cached_key(place);
    entries
}
