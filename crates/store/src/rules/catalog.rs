//! The catalog as it follows from the events of runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use holdfast_model::{
    AppId, Attempt, BackupFacts, BackupId, CatalogEntry, Cause, Delete, OperatorAction, Origin, Outcome,
    Removal, Run, RunEvent, RunKind, RunState, SasFacts, SasWindow, StorageName, Task, Timestamp,
    Verification,
};

use crate::columns::stamp;

/// The key of a catalog entry.
pub(crate) type Key = (AppId, BackupId);

/// A change of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CatalogChange {
    /// Adds an entry, or what is newly known of it.
    Put(Box<CatalogEntry>),
    /// Records the SAS that Azure keeps with it.
    Sas(Key, SasFacts),
    /// Holds it, for this reason.
    Hold(Key, String),
    /// Ends the hold.
    Release(Key),
    /// Marks it as removed; with a blob, only if the entry has that blob.
    Removal(Key, Option<String>, Removal),
    /// Records that a deletion, or a refresh of its SAS, did not succeed.
    Failure(Key, Timestamp),
    /// Records that it is there; with a blob, only if the entry has that blob. A time is when its blob was read.
    Found(Key, Option<String>, Option<Timestamp>),
    /// Adds a backup of a run that had ended, or completes the entry of that backup.
    Late(Box<CatalogEntry>),
    /// Records the end of a drill, and whether it passed.
    Drilled(Key, Timestamp, bool),
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
    let (kind, key) = (run.task.kind(), |id: BackupId| (run.app.clone(), id));
    match event {
        RunEvent::Ended { outcome, cause, backup, verification } => {
            let change = ended(run, attempt, (*outcome, *cause, backup), at);
            let is_verified = *verification == Some(Verification::Verified);
            change.map(|change| if is_verified { change.verified(at) } else { change })
        }
        RunEvent::AttemptEnded { backup: Some(backup), .. } if kind == RunKind::Backup => {
            Some(put(run, Origin::Attempt, backup.clone(), sas_of(attempt)))
        }
        RunEvent::OrphanFound { backup: id, name, .. } if kind == RunKind::Backup => {
            let (id, blob) = (*id, format!("{name}.zip"));
            let databases = Vec::new();
            let backup =
                BackupFacts { id, blob, size_bytes: 0, accepted_at: at, finished_at: None, databases };
            Some(put(run, Origin::Orphan, backup, None))
        }
        RunEvent::Completed { .. } => match &run.task {
            Task::Delete(delete) => Some(deleted(run, delete, Removal { at, deleted: true })),
            _ => None,
        },
        RunEvent::SasRefreshed { refresh } => {
            refresh.backup.map(|id| CatalogChange::Sas(key(id), refresh.new.clone()))
        }
        RunEvent::ActionRecorded { action, .. } => recorded(run, action, at),
        RunEvent::BackupLost { backup, blob, deletion, .. } => {
            let removal = Removal { at, deleted: deletion.is_some() };
            Some(CatalogChange::Removal(key(*backup), Some(blob.clone()), removal))
        }
        RunEvent::BackupFoundAgain { backup, blob } => {
            Some(CatalogChange::Found(key(*backup), Some(blob.clone()), None))
        }
        RunEvent::BackupVerified { backup, blob, .. } => {
            Some(CatalogChange::Found(key(*backup), Some(blob.clone()), Some(at)))
        }
        RunEvent::LateBackupFound { backup, run: of, storage, good, verified } => {
            let entry = entry(run, Origin::Orphan, storage, backup.clone(), None);
            let verified_at = verified.then_some(at);
            Some(CatalogChange::Late(Box::new(CatalogEntry { run: *of, good: *good, verified_at, ..entry })))
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
            return Some(put(run, origin, backup.clone()?, sas_of(attempt)));
        }
        task => task.backup(&run.app)?,
    };
    let (key, well) = ((app.clone(), id), outcome == Outcome::Succeeded);
    match (&run.task, cause) {
        (Task::Drill(_), _) => Some(CatalogChange::Drilled(key, at, well)),
        (Task::Delete(_) | Task::RefreshSas(_), _) if well => None,
        (Task::Delete(_), Some(Cause::Protected)) => None,
        (Task::Delete(delete), Some(Cause::BackupNotFound)) => {
            Some(deleted(run, delete, Removal { at, deleted: false }))
        }
        (Task::Delete(_) | Task::RefreshSas(_), _) => Some(CatalogChange::Failure(key, at)),
        _ => None,
    }
}

/// The removal of a deleted backup.
///
/// It names the blob, because Azure numbers the backups of a recreated app from 1 again: by the end of a deletion the
/// number may be another backup's.
fn deleted(run: &Run, delete: &Delete, removal: Removal) -> CatalogChange {
    CatalogChange::Removal((run.app.clone(), delete.backup), Some(delete.blob.clone()), removal)
}

fn recorded(run: &Run, action: &OperatorAction, at: Timestamp) -> Option<CatalogChange> {
    let key = |id: &BackupId| (run.app.clone(), *id);
    match action {
        OperatorAction::Held { backup, reason } => Some(CatalogChange::Hold(key(backup), reason.clone())),
        OperatorAction::Released { backup, .. } => Some(CatalogChange::Release(key(backup))),
        // Without a size only the list was read.
        OperatorAction::Verified { backup, size_bytes } => {
            Some(CatalogChange::Found(key(backup), None, size_bytes.map(|_| at)))
        }
        OperatorAction::Lost { backup, .. } => {
            Some(CatalogChange::Removal(key(backup), None, Removal { at, deleted: false }))
        }
        OperatorAction::TakenOver { backup, storage } => {
            Some(CatalogChange::Put(Box::new(entry(run, Origin::TakenOver, storage, backup.clone(), None))))
        }
        OperatorAction::Revealed { .. }
        | OperatorAction::Drift { .. }
        | OperatorAction::LeftFleet { .. }
        | OperatorAction::RowRemoved { .. } => None,
    }
}

fn put(run: &Run, origin: Origin, backup: BackupFacts, sas: Option<SasFacts>) -> CatalogChange {
    CatalogChange::Put(Box::new(entry(run, origin, &run.policy_snapshot.storage, backup, sas)))
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
        if let Self::Put(entry) = &mut self {
            entry.verified_at = Some(at);
        }
        self
    }

    /// The key of the entry.
    pub fn key(&self) -> Key {
        match self {
            Self::Put(entry) | Self::Late(entry) => (entry.app.clone(), entry.backup.id),
            Self::Sas(key, _)
            | Self::Hold(key, _)
            | Self::Release(key)
            | Self::Removal(key, _, _)
            | Self::Failure(key, _)
            | Self::Found(key, _, _)
            | Self::Drilled(key, _, _) => key.clone(),
        }
    }

    /// The entry after the change. Only [`Self::Put`] and [`Self::Late`] create one.
    pub fn apply(self, old: Option<CatalogEntry>) -> Option<CatalogEntry> {
        let entry = match (self, old) {
            (Self::Put(new), old) => over(old, *new),
            (Self::Late(new), old) => completed(old, *new),
            (_, None) => return None,
            (Self::Sas(_, sas), Some(old)) => CatalogEntry { sas: Some(sas), ..old },
            (Self::Hold(_, reason), Some(old)) => CatalogEntry { hold: Some(reason), ..old },
            (Self::Release(_), Some(old)) => CatalogEntry { hold: None, ..old },
            (Self::Removal(_, Some(blob), _) | Self::Found(_, Some(blob), _), Some(old))
                if blob != old.backup.blob =>
            {
                old
            }
            (Self::Removal(_, _, removal), Some(old)) => {
                let known = old.removal.filter(|known| known.deleted || !removal.deleted);
                CatalogEntry { removal: known.or(Some(removal)), ..old }
            }
            (Self::Failure(_, at), Some(old)) => CatalogEntry { last_failure_at: Some(at), ..old },
            (Self::Found(_, _, at), Some(old)) => {
                let removal = old.removal.filter(|removal| removal.deleted);
                CatalogEntry { verified_at: at.or(old.verified_at), removal, ..old }
            }
            (Self::Drilled(_, at, passed), Some(old)) => CatalogEntry { drill: Some((at, passed)), ..old },
        };
        Some(kept(entry))
    }
}

/// The entry after `new` replaces `old`. Another blob under the same number is another backup, because Azure numbers
/// the backups of a recreated app from 1 again.
fn over(old: Option<CatalogEntry>, new: CatalogEntry) -> CatalogEntry {
    let Some(old) = old else { return new };
    let same = old.backup.blob == new.backup.blob;
    match worth(new.origin) < worth(old.origin) && (same || new.origin == Origin::Orphan) {
        true => old,
        false if !same => new,
        false => CatalogEntry {
            sas: new.sas.or(old.sas),
            hold: old.hold,
            removal: old.removal,
            last_failure_at: old.last_failure_at,
            verified_at: new.verified_at.or(old.verified_at),
            drill: old.drill,
            ..new
        },
    }
}

/// The entry after a late backup was found. It completes the entry of the same blob, and replaces only a removed one of
/// another.
fn completed(old: Option<CatalogEntry>, new: CatalogEntry) -> CatalogEntry {
    let Some(old) = old else { return new };
    if old.backup.blob != new.backup.blob {
        return if old.removal.is_some() { new } else { old };
    }
    CatalogEntry {
        backup: new.backup,
        good: old.good || new.good,
        verified_at: new.verified_at.or(old.verified_at),
        removal: old.removal.filter(|removal| removal.deleted),
        ..old
    }
}

/// Ranks origins: of two for one backup, the greater stays.
fn worth(origin: Origin) -> u8 {
    match origin {
        Origin::Orphan => 0,
        Origin::Attempt => 1,
        Origin::Partial => 2,
        Origin::TakenOver => 3,
        Origin::Succeeded => 4,
    }
}

/// An entry as a row holds it.
fn kept(entry: CatalogEntry) -> CatalogEntry {
    let removal = entry.removal.map(|removal| Removal { at: stamp(removal.at), ..removal });
    let window =
        |window: SasWindow| SasWindow { start: window.start.map(stamp), expiry: window.expiry.map(stamp) };
    let sas = entry.sas.map(|sas| SasFacts { window: window(sas.window), ..sas });
    let backup = BackupFacts {
        accepted_at: stamp(entry.backup.accepted_at),
        finished_at: entry.backup.finished_at.map(stamp),
        ..entry.backup
    };
    CatalogEntry {
        backup,
        sas,
        removal,
        last_failure_at: entry.last_failure_at.map(stamp),
        verified_at: entry.verified_at.map(stamp),
        drill: entry.drill.map(|(at, passed)| (stamp(at), passed)),
        ..entry
    }
}

/// The entries after a batch of changes, given those that the changes touch.
pub(crate) fn applied(
    read: Vec<CatalogEntry>,
    changes: Vec<CatalogChange>,
) -> impl Iterator<Item = CatalogEntry> {
    let key = |entry: &CatalogEntry| (entry.app.clone(), entry.backup.id);
    let mut entries: BTreeMap<Key, CatalogEntry> =
        read.into_iter().map(|entry| (key(&entry), entry)).collect();
    for change in changes {
        let key = change.key();
        if let Some(entry) = change.apply(entries.remove(&key)) {
            entries.insert(key, entry);
        }
    }
    entries.into_values()
}

/// Sorts by app, newest first.
pub(crate) fn in_order(mut entries: Vec<CatalogEntry>) -> Vec<CatalogEntry> {
    let place =
        |entry: &CatalogEntry| (entry.app.to_string(), Reverse((entry.backup.accepted_at, entry.backup.id)));
    entries.sort_by_cached_key(place);
    entries
}
