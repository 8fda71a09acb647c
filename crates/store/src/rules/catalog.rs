//! The catalog as it follows from the events of runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use holdfast_model::{
    Attempt, BackupFacts, BackupId, CatalogEntry, Cause, Delete, OperatorAction, Origin, Outcome, Removal,
    Run, RunEvent, RunKind, RunState, SasFacts, SasWindow, StorageName, Task, Timestamp, Verification,
};

use crate::audit::Placed;
use crate::rules::catalog_change::{CatalogChange, Caused, Listed, Number, Subject};
use crate::rules::generations::{Generations, StoredEntry};

/// The changes that `events` of `run` make, each event at its place in the audit. `before` is the run's state before them;
/// `None` for a new run.
pub(crate) fn changes(
    before: Option<&RunState>,
    run: &Run,
    events: &[RunEvent],
    placed: &[Placed],
) -> Vec<Caused> {
    let mut state = before.cloned();
    let mut changes = Vec::new();
    for (event, Placed { seq, at }) in events.iter().zip(placed) {
        let attempt = state.as_ref().and_then(RunState::attempt);
        changes.extend(change(run, attempt, event, *at).map(|change| Caused { change, seq: *seq }));
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
                Outcome::Failed | Outcome::Exhausted | Outcome::Missed | Outcome::Cancelled => return None,
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
        OperatorAction::Held { backup, blob, reason } => {
            Some(CatalogChange::Hold(Subject { blob: blob.clone(), ..of(backup) }, reason.clone()))
        }
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
        | OperatorAction::BudgetsReopened { .. }
        | OperatorAction::Enrolled { .. }
        | OperatorAction::PolicyChanged { .. }
        | OperatorAction::TagsChanged { .. }
        | OperatorAction::Paused
        | OperatorAction::Resumed
        | OperatorAction::PausedUntil { .. }
        | OperatorAction::PauseEnded { .. }
        | OperatorAction::Acknowledged { .. }
        | OperatorAction::FleetFileChanged { .. }
        | OperatorAction::RevisionApplied { .. }
        | OperatorAction::TokenCreated { .. }
        | OperatorAction::TokenRevoked { .. }
        | OperatorAction::ApprovalAsked { .. }
        | OperatorAction::ApprovalConfirmed { .. }
        | OperatorAction::ApprovalDeclined { .. }
        | OperatorAction::ApprovalWithdrawn { .. }
        | OperatorAction::DeadLettersRetried { .. }
        | OperatorAction::DeadLettersDropped { .. }
        | OperatorAction::CheckpointRequested { .. }
        | OperatorAction::LoggedIn
        | OperatorAction::NotificationsSilenced { .. }
        | OperatorAction::SilenceEnded { .. }
        | OperatorAction::NotificationGivenUp { .. }
        | OperatorAction::AccessRefused { .. } => None,
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

/// The entries that a batch of changes writes, given those of the numbers that the changes touch.
pub(crate) fn applied(read: Vec<StoredEntry>, changes: Vec<Caused>) -> impl Iterator<Item = StoredEntry> {
    let mut numbers: BTreeMap<Number, Generations> = BTreeMap::new();
    let mut before: BTreeMap<(Number, i64), i64> = BTreeMap::new();
    for stored in read {
        let number = (stored.entry.app.clone(), stored.entry.backup.id);
        before.insert((number.clone(), stored.generation), stored.event_seq);
        numbers.entry(number).or_default().insert(stored);
    }
    for caused in changes {
        numbers.entry(caused.change.number()).or_default().apply(caused);
    }
    let is_written = move |stored: &StoredEntry| {
        let number = (stored.entry.app.clone(), stored.entry.backup.id);
        before.get(&(number, stored.generation)) != Some(&stored.event_seq)
    };
    numbers.into_values().flat_map(Generations::into_entries).filter(is_written)
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
