//! What runs' events make of the catalog: told once, for every store.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{
    AppId, Attempt, BackupFacts, BackupId, CatalogEntry, Cause, Delete, OperatorAction, Origin, Outcome,
    Removal, Run, RunEvent, RunKind, RunState, SasFacts, SasWindow, StorageName, Task, Timestamp,
    format_timestamp,
};
use serde_json::{Value, json as object};

use crate::columns::{json, stamp};

/// A backup's place in the catalog.
pub(crate) type Key = (AppId, BackupId);

/// A change of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CatalogChange {
    /// It is there, or more is known of it.
    Put(Box<CatalogEntry>),
    /// Azure keeps this SAS with it.
    Sas(Key, SasFacts),
    /// It must not be deleted.
    Hold(Key, String),
    /// It may be deleted again.
    Release(Key),
    /// It is no longer there; where the blob is told, that one alone.
    Removal(Key, Option<String>, Removal),
    /// A deletion or a refresh of its SAS ended otherwise than well.
    Trouble(Key, Timestamp),
    /// It was found whole.
    Verified(Key, Timestamp),
    /// A drill of it ended.
    Drilled(Key, Timestamp, bool),
}

/// What `events`, which happened to `run` at `at`, change in the catalog. `before` is its state before them; `None` for
/// a run that they made.
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
        RunEvent::Ended { outcome, cause, backup, .. } => ended(run, attempt, (*outcome, *cause, backup), at),
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
        RunEvent::ActionRecorded { action, .. } => noted(run, action, at),
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
        (Task::Delete(_) | Task::RefreshSas(_), _) => Some(CatalogChange::Trouble(key, at)),
        _ => None,
    }
}

/// Azure counts from 1 again for an app that was made anew: by the end of a deletion its number may be another backup's.
fn deleted(run: &Run, delete: &Delete, removal: Removal) -> CatalogChange {
    CatalogChange::Removal((run.app.clone(), delete.backup), Some(delete.blob.clone()), removal)
}

fn noted(run: &Run, action: &OperatorAction, at: Timestamp) -> Option<CatalogChange> {
    let key = |id: &BackupId| (run.app.clone(), *id);
    match action {
        OperatorAction::Held { backup, reason } => Some(CatalogChange::Hold(key(backup), reason.clone())),
        OperatorAction::Released { backup, .. } => Some(CatalogChange::Release(key(backup))),
        OperatorAction::Verified { backup, .. } => Some(CatalogChange::Verified(key(backup), at)),
        OperatorAction::Lost { backup, .. } => {
            Some(CatalogChange::Removal(key(backup), None, Removal { at, deleted: false }))
        }
        OperatorAction::TakenOver { backup, storage } => {
            Some(CatalogChange::Put(Box::new(entry(run, Origin::TakenOver, storage, backup.clone(), None))))
        }
        OperatorAction::Revealed { .. } | OperatorAction::Drift { .. } => None,
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
        // Where storage is in reach, no partial one gets here that would be good and was not looked at.
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

/// The SAS that Azure keeps with what the attempt made.
fn sas_of(attempt: Option<&Attempt>) -> Option<SasFacts> {
    let Attempt { sas, sas_expiry, .. } = attempt.filter(|attempt| !attempt.sas.is_empty())?;
    let window = SasWindow { start: None, expiry: *sas_expiry };
    Some(SasFacts { fingerprint: sas.clone(), window })
}

impl CatalogChange {
    /// The entry it changes.
    pub fn key(&self) -> Key {
        match self {
            Self::Put(entry) => (entry.app.clone(), entry.backup.id),
            Self::Sas(key, _)
            | Self::Hold(key, _)
            | Self::Release(key)
            | Self::Removal(key, _, _)
            | Self::Trouble(key, _)
            | Self::Verified(key, _)
            | Self::Drilled(key, _, _) => key.clone(),
        }
    }

    /// The entry after it. What nothing is known of stays unknown, but for [`Self::Put`].
    pub fn apply(self, old: Option<CatalogEntry>) -> Option<CatalogEntry> {
        let entry = match (self, old) {
            (Self::Put(new), old) => over(old, *new),
            (_, None) => return None,
            (Self::Sas(_, sas), Some(old)) => CatalogEntry { sas: Some(sas), ..old },
            (Self::Hold(_, reason), Some(old)) => CatalogEntry { hold: Some(reason), ..old },
            (Self::Release(_), Some(old)) => CatalogEntry { hold: None, ..old },
            (Self::Removal(_, Some(blob), _), Some(old)) if blob != old.backup.blob => old,
            (Self::Removal(_, _, removal), Some(old)) => {
                let known = old.removal.filter(|known| known.deleted || !removal.deleted);
                CatalogEntry { removal: known.or(Some(removal)), ..old }
            }
            (Self::Trouble(_, at), Some(old)) => CatalogEntry { last_failure_at: Some(at), ..old },
            (Self::Verified(_, at), Some(old)) => {
                let removal = old.removal.filter(|removal| removal.deleted);
                CatalogEntry { verified_at: Some(at), removal, ..old }
            }
            (Self::Drilled(_, at, passed), Some(old)) => CatalogEntry { drill: Some((at, passed)), ..old },
        };
        Some(kept(entry))
    }
}

/// What stands when `new` is put over `old`. Another blob under the same number is another backup: Azure counts from 1
/// again when an app was made anew.
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
            verified_at: old.verified_at,
            drill: old.drill,
            ..new
        },
    }
}

/// Of two ways that one backup came to be, the greater tells more.
fn worth(origin: Origin) -> u8 {
    match origin {
        Origin::Orphan => 0,
        Origin::Attempt => 1,
        Origin::Partial => 2,
        Origin::TakenOver => 3,
        Origin::Succeeded => 4,
    }
}

/// An entry as a row keeps it.
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

/// The entries that changes touch, as they are after them. `read` are those that were there.
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

/// By app, the newest first.
pub(crate) fn in_order(mut entries: Vec<CatalogEntry>) -> Vec<CatalogEntry> {
    let place =
        |entry: &CatalogEntry| (entry.app.to_string(), Reverse((entry.backup.accepted_at, entry.backup.id)));
    entries.sort_by_cached_key(place);
    entries
}

/// What an entry's columns hold, as both databases take it.
pub(crate) fn columns(entry: &CatalogEntry) -> Value {
    let CatalogEntry { backup, sas, removal, drill, .. } = entry;
    let window = sas.as_ref().map(|sas| sas.window);
    object!({
        "app": entry.app.to_string(),
        "backup_id": backup.id,
        "run_id": entry.run.to_string(),
        "policy": entry.policy,
        "storage": entry.storage,
        "blob": backup.blob,
        "size_bytes": backup.size_bytes,
        "accepted_at": format_timestamp(backup.accepted_at),
        "finished_at": backup.finished_at.map(format_timestamp),
        "databases": json(&backup.databases),
        "origin": entry.origin.as_str(),
        "good": entry.good,
        "sas_fingerprint": sas.as_ref().map(|sas| &sas.fingerprint),
        "sas_start": window.and_then(|window| window.start).map(format_timestamp),
        "sas_expiry": window.and_then(|window| window.expiry).map(format_timestamp),
        "hold": entry.hold,
        "removed_at": removal.map(|removal| format_timestamp(removal.at)),
        "deleted": removal.map(|removal| removal.deleted),
        "last_failure_at": entry.last_failure_at.map(format_timestamp),
        "verified_at": entry.verified_at.map(format_timestamp),
        "drilled_at": drill.map(|(at, _)| format_timestamp(at)),
        "drill_passed": drill.map(|(_, passed)| passed),
    })
}

/// The keys of entries, as both databases take them.
pub(crate) fn keys<'a>(keys: impl IntoIterator<Item = &'a CatalogChange>) -> Vec<Value> {
    let keys: BTreeSet<Key> = keys.into_iter().map(CatalogChange::key).collect();
    keys.into_iter().map(|(app, id)| object!({ "app": app.to_string(), "backup_id": id })).collect()
}
