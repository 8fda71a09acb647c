//! Compares the backups in the store with what Azure did.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use holdfast_model::{
    AppId, BackupId, Cause, Fold, Outcome, Run, RunEvent, RunId, RunKind, RunState, Timestamp,
};
use holdfast_store::{AuditEvent, ChainRow, Link, Store as _, verify_chain};

use crate::counters::Counters;
use crate::pipeline_world::PipelineWorld;
use crate::process::logs;
use crate::secrets;

/// Compares all runs. Ticks count from each app's first to its last before `until`; manual runs count all.
pub(crate) async fn compare(world: &PipelineWorld, until: Timestamp) -> Counters {
    let mut counters = Counters { leases_passed: world.leases_passed(), ..Counters::default() };
    let mut by_app = world.runs_by_app().await;
    let events = world.store.audit(0, u32::MAX).await.unwrap();
    let runs: Vec<&Run> = by_app.values().flatten().collect();
    audit(world, &runs, &events, &mut counters).await;
    // Catalog checks are planned beside the backups, and enrolments and the fleet file are recorded as actions.
    let is_beside = |run: &Run| matches!(run.task.kind(), RunKind::CheckCatalog | RunKind::OperatorAction);
    for runs in by_app.values_mut() {
        runs.retain(|run| !is_beside(run));
    }
    by_app.retain(|_, runs| !runs.is_empty());
    if by_app.len() != world.simulated.apps() {
        counters.lost.push(format!("of {} apps only {} have a run", world.simulated.apps(), by_app.len()));
    }
    for runs in by_app.values() {
        ticks(runs, until, &mut counters);
    }
    posts(world, &by_app.values().flatten().collect::<Vec<_>>(), &events, &mut counters);
    panics(world, &mut counters);
    counters.unexpected.extend(secrets::got_out(world).await);
    counters
}

/// Compares the backups of a fleet with every kind of run. `theirs` is the backup that another Holdfast created.
pub(crate) async fn compare_backups(
    world: &PipelineWorld,
    (until, theirs): (Timestamp, &str),
    counters: &mut Counters,
) {
    let mut by_app = world.runs_by_app().await;
    let events = world.store.audit(0, u32::MAX).await.unwrap();
    let (attempted, acknowledged) = (counters.attempted, counters.acknowledged);
    for runs in by_app.values_mut() {
        runs.retain(|run| run.task.kind() == RunKind::Backup);
        ticks(runs, until, counters);
        runs.retain(|run| matches!(run.state, RunState::Ended { outcome: Outcome::Succeeded, .. }));
    }
    let outcomes = std::mem::take(&mut counters.outcomes);
    posts(world, &by_app.values().flatten().collect::<Vec<_>>(), &events, counters);
    counters.unexpected.retain(|what| *what != format!("the POST {theirs} was never announced"));
    (counters.outcomes, counters.attempted, counters.acknowledged) = (outcomes, attempted, acknowledged);
    counters.leases_passed = world.leases_passed();
}

/// Checks that each tick has one run, and each run one outcome.
fn ticks(runs: &[Run], until: Timestamp, counters: &mut Counters) {
    let minute = TimeDelta::minutes(1);
    let mut owed = runs.iter().filter_map(|run| run.tick).min();
    for run in runs {
        // A manual run has no tick.
        let Some(tick) = run.tick else {
            counters.attempted += 1;
            counters.acknowledged += 1;
            continue;
        };
        while let Some(due) = owed.filter(|due| *due < tick) {
            counters.attempted += 1;
            counters.lost.push(format!("{}: no run for the tick {due}", run.app));
            owed = Some(due + minute);
        }
        if owed == Some(tick) {
            counters.attempted += 1;
            counters.acknowledged += 1;
            owed = Some(tick + minute);
        } else {
            counters.duplicated.push(format!("{}: another run for the tick {tick}", run.app));
        }
    }
    if let Some(due) = owed.filter(|due| *due < until) {
        counters.lost.push(format!("no run for the tick {due} and after: {:?}", runs.last()));
    }
}

/// Checks that Azure accepted only announced POSTs, each once, and that successful backups exist.
fn posts(world: &PipelineWorld, runs: &[&Run], events: &[AuditEvent], counters: &mut Counters) {
    let azure = world.simulated.azure();
    counters.posts = azure.counters().accepted_posts;
    for (count, what) in [
        (azure.counters().duplicate_posts, "POSTs were accepted twice"),
        (azure.counters().blobs_overwritten, "blobs were overwritten"),
    ] {
        if count > 0 {
            counters.duplicated.push(format!("{count} {what}"));
        }
    }
    let announced: BTreeMap<String, Timestamp> = events.iter().filter_map(announced).collect();
    let given_up = given_up(events);
    let mut there: BTreeSet<(&AppId, BackupId)> = BTreeSet::new();
    for post in azure.accepted_posts() {
        there.insert((&post.app, post.id));
        let what = match announced.get(&post.name) {
            None => "was never announced",
            Some(at) if (post.at - at).to_std().is_ok_and(|late| late > world.simulated.lease()) => {
                "was sent after its lease expired"
            }
            _ if given_up.contains(&post.name) => "was given up as lost but exists",
            _ => continue,
        };
        counters.unexpected.push(format!("the POST {} {what}", post.name));
    }
    for run in runs {
        let RunState::Ended { outcome, backup, .. } = &run.state else {
            counters.lost.push(format!("{} never ended: {:?}", run.id, run.state));
            continue;
        };
        *counters.outcomes.entry(outcome.as_str()).or_default() += 1;
        match (outcome, backup) {
            (Outcome::Missed, _) => {}
            (Outcome::Succeeded, Some(backup)) if there.contains(&(&run.app, backup.id)) => {}
            (Outcome::Succeeded, _) => {
                counters.lost.push(format!("{} reports a backup that does not exist", run.id));
            }
            _ => counters.unexpected.push(format!("{} ended unexpectedly: {:?}", run.id, run.state)),
        }
    }
}

/// The name of the announced backup, and the time of the announcement.
fn announced(event: &AuditEvent) -> Option<(String, Timestamp)> {
    match &event.event {
        RunEvent::AttemptStarted { attempt, .. } => Some((attempt.name.as_str().to_owned(), event.at)),
        _ => None,
    }
}

/// The names of the backups that were given up as lost after the settle time.
fn given_up(events: &[AuditEvent]) -> BTreeSet<String> {
    let (mut names, mut given_up) = (BTreeMap::new(), BTreeSet::new());
    for event in events {
        match &event.event {
            RunEvent::AttemptStarted { attempt, .. } => {
                names.insert((event.run_id, attempt.number), attempt.name.to_string());
            }
            RunEvent::AttemptEnded { number, cause: Cause::AnswerLost, .. } => {
                given_up.extend(names.get(&(event.run_id, *number)).cloned());
            }
            _ => {}
        }
    }
    given_up
}

/// Checks the audit's chain, and that the events of each run reproduce its row.
pub(crate) async fn audit(
    world: &PipelineWorld,
    runs: &[&Run],
    events: &[AuditEvent],
    counters: &mut Counters,
) {
    let rows: Vec<ChainRow> = world.store.chain(0, u32::MAX).await.unwrap();
    if let Err(broken) = verify_chain(&rows, Link::origin()) {
        counters.unexpected.push(format!("the audit's chain is broken: {broken:?}"));
    }
    let mut by_run: BTreeMap<RunId, Vec<&RunEvent>> = BTreeMap::new();
    for event in events {
        by_run.entry(event.run_id).or_default().push(&event.event);
    }
    for run in runs {
        let events = by_run.remove(&run.id).unwrap_or_default();
        let fold = Fold::of(events.iter().copied());
        if !fold.is_ok_and(|fold| fold.state == run.state && fold.failure_counts == run.failure_counts) {
            counters.unexpected.push(format!("the events of {} do not reproduce its row", run.id));
        }
        let disturbed = events.iter().any(|event| is_disturbance(event));
        counters.recovered += usize::from(disturbed && run.state.is_ended());
    }
    if !by_run.is_empty() {
        counters.unexpected.push(format!("{} runs have events and no row", by_run.len()));
    }
}

/// Checks that no process panicked.
pub(crate) fn panics(world: &PipelineWorld, counters: &mut Counters) {
    for (source, text) in logs(world.folder()) {
        if let Some(line) = text.lines().find(|line| line.contains("panicked")) {
            counters.unexpected.push(format!("{source}: {line}"));
        }
    }
}

pub(crate) fn is_disturbance(event: &RunEvent) -> bool {
    matches!(
        event,
        RunEvent::AnswerLost { .. }
            | RunEvent::Absent { .. }
            | RunEvent::Adopted { .. }
            | RunEvent::AttemptEnded { .. }
            | RunEvent::Deferred { .. }
            | RunEvent::StartRefused { .. }
    )
}

#[cfg(test)]
mod tests {
    use holdfast_model::{App, NewBackup, NewRun, PolicySnapshot, StorageName, Trigger};

    use super::*;

    /// Counts the ticks of an app at these minutes, with all before minute 5 due.
    fn counted(minutes: &[i64]) -> Counters {
        let mut rng = fastrand::Rng::with_seed(1);
        let app = App::new(AppId::new("s", "g", "shop", None));
        let policy_snapshot = PolicySnapshot::new(StorageName::new("sim"), "account");
        let at = |minute: i64| Timestamp::UNIX_EPOCH + TimeDelta::minutes(minute);
        let run = |minute: &i64| {
            let id = RunId::new(at(*minute), &mut rng);
            let tick = NewBackup { tick: Some(at(*minute)), trigger: Trigger::Schedule, due_at: at(*minute) };
            NewRun::backup(id, &app, &policy_snapshot, tick, at(*minute)).run
        };
        let runs: Vec<Run> = minutes.iter().map(run).collect();
        let mut counters = Counters::default();
        ticks(&runs, at(5), &mut counters);
        counters
    }

    #[test]
    fn a_tick_left_out_is_lost_and_one_met_twice_is_doubled() {
        for (minutes, lost, duplicated) in [
            (&[1, 2, 3, 4][..], 0, 0),
            (&[1, 2, 4], 1, 0),
            (&[1, 2, 3], 1, 0),
            (&[1, 2, 2, 3, 4], 0, 1),
            (&[1, 2, 3, 4, 5, 6], 0, 0),
        ] {
            let counters = counted(minutes);
            let found = (counters.lost.len(), counters.duplicated.len());
            assert_eq!(found, (lost, duplicated), "{minutes:?}: {counters}");
        }
    }
}
