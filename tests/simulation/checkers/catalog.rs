use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use holdfast_model::{
    AppId, BackupId, CatalogEntry, OperatorAction, Outcome, Run, RunEvent, RunId, RunState, Task, Trigger,
};
use holdfast_store::{CatalogFilter, Store};

use crate::simulated_world::SimulatedWorld;

/// The catalog agrees with Azure once each app was checked after the faults.
///
/// Live entries that a restore could use are whole, removed ones are not. Azure's state decides, and not the catalog,
/// whether a deletion left a backup. No backup was deleted without a run for it or while on hold.
pub(crate) async fn catalog(world: &SimulatedWorld) {
    let filter = CatalogFilter { with_removed: true, ..CatalogFilter::default() };
    let entries = world.store.catalog(&filter).await.unwrap();
    let forgotten = forgotten_deletions(world).await;
    for entry in &entries {
        let context = || format!("seed {}: {entry:#?}", world.seed);
        let is_forgotten = forgotten.contains(&(entry.app.clone(), entry.backup.id));
        match entry.removal {
            None if entry.good => {
                assert!(world.is_whole(entry), "counts, and is gone: {}", context());
            }
            Some(gone) if !gone.deleted => {
                assert!(!entry.good || !world.is_whole(entry), "lost, and is there: {}", context());
                let has_reason = is_forgotten || world.people.touched(&entry.app);
                assert!(has_reason || !entry.good, "lost by nobody: {}", context());
            }
            _ => {}
        }
    }
    for of_app in entries.chunk_by(|one, next| one.app == next.app) {
        if world.people.touched(&of_app[0].app) {
            continue;
        }
        let once_good = of_app.iter().any(|entry| entry.good);
        let has_good = of_app.iter().any(|entry| entry.good && entry.removal.is_none());
        assert!(has_good || !once_good, "seed {}: no good backup is left of {of_app:#?}", world.seed);
    }
    deletions(world, &entries).await;
    holds(world).await;
}

/// The backups that a run deletes of which the store lost some events: it does not know that it asked Azure for it.
async fn forgotten_deletions(world: &SimulatedWorld) -> BTreeSet<(AppId, BackupId)> {
    let losers: BTreeSet<RunId> = world.lost_events.iter().map(|lost| lost.run_id).collect();
    let runs = world.runs().await;
    let kept = runs.iter().filter(|run| losers.contains(&run.id)).map(|run| (&run.app, &run.task));
    let lost = world.lost_tasks().map(|(_, app, task)| (app, task));
    kept.chain(lost).filter_map(deletion).collect()
}

/// The backup that a task deletes.
fn deletion((app, task): (&AppId, &Task)) -> Option<(AppId, BackupId)> {
    match task {
        Task::Delete(delete) => Some((app.clone(), delete.backup)),
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
                // The number of a recreated app may be another backup's.
                let is_other = world.people.recreated_apps.contains(&key.0);
                assert!(is_other || !held.contains(&key), "seed {}: {key:?} was on hold", world.seed);
            }
            _ => {}
        }
    }
}

/// Azure accepted deletions only for runs, and the catalog has each successful one by policy.
async fn deletions(world: &SimulatedWorld, entries: &[CatalogEntry]) {
    let runs = world.runs().await;
    let lost = world.lost_tasks().map(|(_, app, task)| (app, task));
    let tasks = runs.iter().map(|run| (&run.app, &run.task)).chain(lost);
    let asked: BTreeSet<(AppId, BackupId)> = tasks.filter_map(deletion).collect();
    let by_hand: BTreeSet<(AppId, BackupId)> = runs
        .iter()
        .filter(|run| run.trigger == Trigger::Manual)
        .filter_map(|run| Some((run.app.clone(), run.task.backup(&run.app)?.1)))
        .collect();
    for delete in world.azure.lock().unwrap().accepted_deletes() {
        let of = (delete.app.clone(), delete.id);
        assert!(asked.contains(&of), "seed {}: no run deletes {of:?}", world.seed);
        // A person may take the stand-in away between its proof and the request.
        let is_race = world
            .people
            .vanished
            .iter()
            .any(|(at, app)| *app == delete.app && (*at - delete.at).abs() <= TimeDelta::seconds(60));
        let is_last = delete.was_whole && delete.left == 0;
        assert!(
            !is_last || is_race || by_hand.contains(&of),
            "seed {}: the last one: {delete:#?}",
            world.seed
        );
    }
    for run in runs.iter().filter(|run| run.trigger == Trigger::Policy) {
        let Task::Delete(delete) = &run.task else { continue };
        let RunState::Ended { outcome: Outcome::Succeeded, .. } = run.state else { continue };
        let is_of = |entry: &&CatalogEntry| {
            (&entry.app, entry.backup.id, &entry.backup.blob) == (&run.app, delete.backup, &delete.blob)
        };
        // The number of a recreated app may be another backup's by now.
        let is_done = entries
            .iter()
            .find(is_of)
            .map_or(world.people.recreated_apps.contains(&run.app), |entry| entry.removal.is_some());
        assert!(is_done, "seed {}: {run:#?}", world.seed);
    }
}
