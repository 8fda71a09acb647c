//! Compares runs of every kind, and the catalog, with what Azure did.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{
    AppId, BackupId, CatalogEntry, Cause, Clock as _, Origin, Outcome, Run, RunEvent, RunId, RunKind,
    RunState, SystemClock, Task,
};
use holdfast_store::{AuditEvent, CatalogFilter, Store as _};

use crate::counters::Counters;
use crate::kinds::site_index;
use crate::operator::Asked;
use crate::pipeline_world::PipelineWorld;

/// Counts by app and by backup or blob.
type Counted<T> = BTreeMap<(AppId, T), usize>;

/// Compares the requested runs of each kind with the store.
pub(crate) fn by_kind(
    asked: &BTreeMap<RunKind, Asked>,
    runs: &[Run],
    events: &[AuditEvent],
) -> BTreeMap<RunKind, Counters> {
    let mut by_kind: BTreeMap<RunKind, Counters> = BTreeMap::new();
    let known: BTreeSet<RunId> = runs.iter().map(|run| run.id).collect();
    for (kind, asked) in asked {
        let counters = by_kind.entry(*kind).or_default();
        for id in asked.promised.iter().filter(|id| !known.contains(id)) {
            counters.attempted += 1;
            counters.lost.push(format!("the {kind} {id} was announced but is not in the store"));
        }
        let notes = runs.iter().filter(|run| run.task.kind() == *kind).count();
        if notes < asked.attempted {
            counters.lost.push(format!("{} of {kind} were asked for, {notes} are there", asked.attempted));
        }
    }
    let disturbed: BTreeSet<RunId> = events
        .iter()
        .filter(|event| crate::store_against_azure::is_disturbance(&event.event))
        .map(|event| event.run_id)
        .collect();
    for run in runs {
        let counters = by_kind.entry(run.task.kind()).or_default();
        counters.attempted += 1;
        counters.acknowledged += 1;
        match &run.state {
            RunState::Ended { outcome, .. } => {
                *counters.outcomes.entry(outcome.as_str()).or_default() += 1;
                counters.recovered += usize::from(disturbed.contains(&run.id));
            }
            state => counters.lost.push(format!("{} never ended: {state:?}", run.id)),
        }
        counters.unexpected.extend(odd(run));
    }
    by_kind
}

/// Describes an outcome that no injected fault explains.
fn odd(run: &Run) -> Option<String> {
    let RunState::Ended { outcome, cause, .. } = &run.state else { return None };
    let is_explained = match (run.task.kind(), outcome, cause) {
        (_, Outcome::Succeeded, _) | (RunKind::Backup, Outcome::Missed, _) => true,
        (RunKind::Backup, Outcome::Partial, Some(cause)) => *cause == Cause::DatabasesDropped,
        (RunKind::Backup, Outcome::Failed, Some(cause)) => {
            matches!(cause, Cause::Rejected | Cause::SasUnusable)
        }
        (RunKind::Backup, Outcome::Exhausted, Some(cause)) => *cause == Cause::SasUnusable,
        // A kill or Azure can lose the answer to each attempt, and no list tells what became of a restore.
        (RunKind::Restore | RunKind::Drill, Outcome::Failed | Outcome::Exhausted, Some(cause)) => {
            matches!(cause, Cause::RestoreFailed | Cause::ProbeFailed | Cause::AnswerLost)
        }
        (RunKind::Delete, Outcome::Failed | Outcome::Exhausted, Some(cause)) => {
            matches!(cause, Cause::DeleteFailed | Cause::Protected)
        }
        _ => false,
    };
    (!is_explained).then(|| format!("{} ended unexpectedly: {:?}", run.id, run.state))
}

/// Checks that Azure accepted at most as many requests as attempts started, and at least as many as runs succeeded.
pub(crate) fn effects(
    world: &PipelineWorld,
    runs: &[Run],
    events: &[AuditEvent],
    by_kind: &mut BTreeMap<RunKind, Counters>,
) {
    let mut attempts: BTreeMap<RunId, usize> = BTreeMap::new();
    for event in events.iter().filter(|event| matches!(event.event, RunEvent::AttemptStarted { .. })) {
        *attempts.entry(event.run_id).or_default() += 1;
    }
    let (mut restores, mut deletes) = ([Counted::new(), Counted::new()], [Counted::new(), Counted::new()]);
    let mut puts = [0, 0];
    for run in runs {
        let attempted = attempts.get(&run.id).copied().unwrap_or_default();
        let done = usize::from(matches!(run.state, RunState::Ended { outcome: Outcome::Succeeded, .. }));
        for (which, count) in [attempted, done].into_iter().enumerate() {
            if let Some(restore) = run.task.restore() {
                *restores[which].entry((run.app.clone(), restore.blob.clone())).or_default() += count;
            }
            match &run.task {
                Task::Delete(delete) => {
                    *deletes[which].entry((run.app.clone(), delete.backup)).or_default() += count;
                }
                Task::PushSchedule { schedule: Some(_), .. } => puts[which] += count,
                _ => {}
            }
        }
    }
    let azure = world.simulated.azure();
    let accepted = azure.accepted_restores().iter().map(|one| (one.target.clone(), one.blob.clone()));
    weigh("restore", &restores, &counted(accepted), by_kind.entry(RunKind::Restore).or_default());
    let accepted = azure.accepted_deletes().iter().map(|one| (one.app.clone(), one.id));
    weigh("deletion", &deletes, &counted(accepted), by_kind.entry(RunKind::Delete).or_default());
    let pushed = by_kind.entry(RunKind::PushSchedule).or_default();
    pushed.posts = azure.counters().schedule_puts;
    if pushed.posts > puts[0] as u64 {
        pushed.duplicated.push(format!("{} schedules were set in {} attempts", pushed.posts, puts[0]));
    }
    let refreshed = by_kind.entry(RunKind::RefreshSas).or_default();
    refreshed.posts = azure.counters().sas_replaced;
    let done = refreshed.outcomes.get("succeeded").copied().unwrap_or_default();
    if refreshed.posts < done as u64 {
        refreshed.lost.push(format!("Azure knows {} of {done} replaced SAS", refreshed.posts));
    }
}

fn counted<T: Ord>(accepted: impl Iterator<Item = (AppId, T)>) -> Counted<T> {
    accepted.fold(Counted::new(), |mut counted, key| {
        *counted.entry(key).or_default() += 1;
        counted
    })
}

/// Checks the accepted counts: at least `least`, which succeeded, and at most `most`, which started.
fn weigh<T: Ord + std::fmt::Debug>(
    what: &str,
    [most, least]: &[Counted<T>; 2],
    accepted: &Counted<T>,
    counters: &mut Counters,
) {
    counters.posts = accepted.values().sum::<usize>() as u64;
    for (key, count) in accepted {
        let most = most.get(key).copied().unwrap_or_default();
        if *count > most {
            counters.duplicated.push(format!("{count} of the {what} {key:?} in {most} attempts"));
        }
    }
    // A deletion also succeeds when its backup is gone, so one accepted request is enough for several runs.
    for (key, least) in least.iter().filter(|(_, least)| **least > 0) {
        let count = accepted.get(key).copied().unwrap_or_default();
        if count < if what == "restore" { *least } else { 1 } {
            counters.lost.push(format!("{least} of the {what} {key:?} succeeded, Azure accepted {count}"));
        }
    }
}

/// Checks that the catalog agrees with Azure.
///
/// Live entries exist and deleted ones do not; the last good backup of each app and all held backups exist; and no
/// backup that Azure created for this fleet is missing from the catalog.
pub(crate) async fn catalog(world: &PipelineWorld) -> Vec<String> {
    let filter = CatalogFilter { with_removed: true, ..CatalogFilter::default() };
    let entries = world.store.catalog(&filter).await.unwrap();
    let mut wrong = Vec::new();
    for entry in &entries {
        let (is_there, name) = (has_blob(world, &entry.backup.blob), &entry.backup.blob);
        match entry.removal {
            Some(gone) if !gone.deleted => {
                wrong.push(format!("{name} is lost in the catalog, although only runs delete backups"));
            }
            Some(_) if is_there => wrong.push(format!("{name} is deleted in the catalog but exists")),
            Some(_) if entry.hold.is_some() => wrong.push(format!("{name} was on hold and is deleted")),
            // Azure may never finish a backup that its run abandoned.
            None if entry.origin == Origin::Attempt && entry.backup.finished_at.is_none() => {}
            None if !is_there && entry.last_failure_at.is_none() && entry.origin != Origin::Orphan => {
                wrong.push(format!("{name} is live in the catalog but missing"));
            }
            _ => {}
        }
    }
    let good = |entry: &&&CatalogEntry| entry.good;
    let apps: BTreeSet<&AppId> = entries.iter().filter(|entry| entry.good).map(|entry| &entry.app).collect();
    for app in &apps {
        let of_app = entries.iter().filter(|entry| entry.app == **app).collect::<Vec<_>>();
        let last = of_app.iter().filter(good).max_by_key(|entry| entry.backup.accepted_at);
        if !last.is_some_and(|last| last.removal.is_none() && has_blob(world, &last.backup.blob)) {
            wrong.push(format!("the last good backup of {app} is gone"));
        }
    }
    let scheduled = world.simulated.scheduled();
    if apps.len() < scheduled {
        wrong.push(format!("only {} of {scheduled} apps have a good backup", apps.len()));
    }
    let known: BTreeSet<(&AppId, BackupId)> =
        entries.iter().map(|entry| (&entry.app, entry.backup.id)).collect();
    let accepted = world.simulated.azure().accepted_posts().to_vec();
    for post in accepted.iter().filter(|post| has_blob(world, &format!("{}.zip", post.name))) {
        if !known.contains(&(&post.app, post.id)) {
            wrong.push(format!("{} exists but is not in the catalog", post.name));
        }
    }
    wrong
}

/// Checks that retention deleted backups and kept the last good one under the harshest rule. Returns the deletions.
pub(crate) async fn retained(world: &PipelineWorld, runs: &[Run]) -> usize {
    let harsh: AppId = world.simulated.app(site_index::HARSH).parse().unwrap();
    let filter = CatalogFilter { app: Some(harsh), ..CatalogFilter::default() };
    assert!(world.store.catalog(&filter).await.unwrap().iter().any(|entry| entry.good));
    let by_policy = |run: &&Run| run.trigger == holdfast_model::Trigger::Policy;
    let deletes = runs.iter().filter(|run| run.task.kind() == RunKind::Delete).filter(by_policy);
    deletes.filter(|run| matches!(run.state, RunState::Ended { outcome: Outcome::Succeeded, .. })).count()
}

fn has_blob(world: &PipelineWorld, blob: &str) -> bool {
    let (container, now) = (world.simulated.container(), SystemClock::default().now());
    world.simulated.azure().blob(now, &container, blob).is_some()
}
