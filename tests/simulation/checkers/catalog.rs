use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{
    AppId, BackupId, CatalogEntry, OperatorAction, Origin, Outcome, Run, RunEvent, RunId, RunState, Task,
    Trigger,
};
use holdfast_store::{CatalogFilter, Store};

use crate::simulated_world::SimulatedWorld;

/// The catalog agrees with Azure.
///
/// Blobs of live entries exist, and blobs of deleted entries do not. The last good backup of every app exists or,
/// without a good one, a partial one. No backup was deleted without a run for it or while on hold.
pub(crate) async fn catalog(world: &SimulatedWorld) {
    let filter = CatalogFilter { with_removed: true, ..CatalogFilter::default() };
    let entries = world.store.catalog(&filter).await.unwrap();
    // A store that lost a deletion does not know that the backup is gone.
    let lost_deletions: BTreeSet<(&AppId, BackupId)> = world.lost_tasks().filter_map(deletion).collect();
    let mut last_good: BTreeMap<AppId, &CatalogEntry> = BTreeMap::new();
    for entry in &entries {
        let is_there = world.has_blob(&entry.backup.blob);
        let context = || format!("seed {}: {entry:#?}", world.seed);
        // The result of a deletion was unknown at its deadline. The next deletion, a day later, finds it done.
        let in_doubt =
            entry.last_failure_at.is_some() || lost_deletions.contains(&(&entry.app, entry.backup.id));
        // Azure may never finish a backup that its run abandoned, or finish it after its deletion.
        let is_unfinished = entry.origin == Origin::Attempt && entry.backup.finished_at.is_none();
        match entry.removal {
            _ if is_unfinished => {}
            Some(gone) if gone.deleted => assert!(!is_there, "deleted but exists: {}", context()),
            Some(_) => panic!("lost, although only runs delete backups: {}", context()),
            None if entry.origin != Origin::Orphan => {
                assert!(is_there || in_doubt, "live but missing: {}", context());
            }
            None => {}
        }
        if entry.good {
            let newest = last_good.entry(entry.app.clone()).or_insert(entry);
            if newest.backup.accepted_at < entry.backup.accepted_at {
                *newest = entry;
            }
        }
    }
    for entry in last_good.values() {
        // Any good backup is enough: when clocks jump back, processes disagree on which is the last.
        let any = entries.iter().any(|other| other.app == entry.app && other.good && other.removal.is_none());
        assert!(any, "seed {}: no good backup of {} is left", world.seed, entry.app);
        assert!(entry.removal.is_none() || world.clock_jumps, "the last good backup is gone: {entry:#?}");
    }
    for of_app in entries.chunk_by(|one, next| one.app == next.app) {
        // The backup of a lost attempt may be deleted even when no other is left.
        let all = of_app.iter().all(CatalogEntry::is_counted_on);
        let any = of_app.iter().any(|entry| entry.removal.is_none());
        assert!(any || !all, "seed {}: no backup is left of {of_app:#?}", world.seed);
    }
    deletions(world, &entries).await;
    holds(world).await;
}

/// The backup that a lost task deletes.
fn deletion<'a>((_, app, task): (RunId, &'a AppId, &'a Task)) -> Option<(&'a AppId, BackupId)> {
    match task {
        Task::Delete(delete) => Some((app, delete.backup)),
        _ => None,
    }
}

/// No deletion started while its backup was on hold.
async fn holds(world: &SimulatedWorld) {
    let runs: BTreeMap<RunId, Run> = world.runs().await.into_iter().map(|run| (run.id, run)).collect();
    let mut held: BTreeSet<(AppId, BackupId)> = BTreeSet::new();
    for event in world.events().await {
        match (event.event, &runs[&event.run_id].task) {
            (RunEvent::ActionRecorded { action: OperatorAction::Held { backup, .. }, .. }, _) => {
                held.insert((event.app, backup));
            }
            (RunEvent::ActionRecorded { action: OperatorAction::Released { backup, .. }, .. }, _) => {
                held.remove(&(event.app, backup));
            }
            (RunEvent::AttemptStarted { .. }, Task::Delete(delete)) => {
                let key = (event.app, delete.backup);
                assert!(!held.contains(&key), "seed {}: {key:?} was on hold", world.seed);
            }
            _ => {}
        }
    }
}

/// Azure accepted deletions only for runs, and the catalog has each successful one by policy.
async fn deletions(world: &SimulatedWorld, entries: &[CatalogEntry]) {
    let runs = world.runs().await;
    let lost = world.lost_tasks().filter_map(deletion).map(|(app, id)| (app.clone(), id));
    let asked: BTreeSet<(AppId, BackupId)> = runs
        .iter()
        .filter_map(|run| match &run.task {
            Task::Delete(delete) => Some((run.app.clone(), delete.backup)),
            _ => None,
        })
        .chain(lost)
        .collect();
    for delete in world.azure.lock().unwrap().accepted_deletes() {
        let of = (delete.app.clone(), delete.id);
        assert!(asked.contains(&of), "seed {}: no run deletes {of:?}", world.seed);
    }
    for run in runs.iter().filter(|run| run.trigger == Trigger::Policy) {
        let Task::Delete(delete) = &run.task else { continue };
        let RunState::Ended { outcome: Outcome::Succeeded, .. } = run.state else { continue };
        let entry = entries.iter().find(|entry| entry.app == run.app && entry.backup.id == delete.backup);
        assert!(entry.is_some_and(|entry| entry.removal.is_some()), "seed {}: {run:#?}", world.seed);
    }
}
