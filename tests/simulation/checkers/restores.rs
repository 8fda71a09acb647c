use std::collections::BTreeMap;

use holdfast_model::{AppId, Outcome, RunEvent, RunId, RunState, Task};

use crate::simulated_world::SimulatedWorld;

/// Azure accepted at most one restore for each attempt, attempts that the store lost included, and at least one for each successful run.
///
/// Restores are counted by target and blob. Accepted schedules are limited by their attempts in the same way.
pub(crate) async fn restores(world: &SimulatedWorld) {
    let runs = world.runs().await;
    let mut attempts: BTreeMap<RunId, usize> = BTreeMap::new();
    for event in world.events().await.iter().chain(&world.lost_events) {
        if matches!(event.event, RunEvent::AttemptStarted { .. }) {
            *attempts.entry(event.run_id).or_default() += 1;
        }
    }
    let (mut attempted, mut succeeded, mut puts) = (Counted::new(), Counted::new(), 0);
    for (id, target, task) in world.lost_tasks() {
        let of_run = attempts.get(&id).copied().unwrap_or_default();
        if let Some(restore) = task.restore() {
            *attempted.entry((target.clone(), restore.blob.clone())).or_default() += of_run;
        }
        puts += if matches!(task, Task::PushSchedule { schedule: Some(_), .. }) { of_run } else { 0 };
    }
    for run in &runs {
        let of_run = attempts.get(&run.id).copied().unwrap_or_default();
        if let Some(restore) = run.task.restore() {
            let key = (run.app.clone(), restore.blob.clone());
            *attempted.entry(key.clone()).or_default() += of_run;
            let is_done = matches!(run.state, RunState::Ended { outcome: Outcome::Succeeded, .. });
            *succeeded.entry(key).or_default() += usize::from(is_done);
        }
        puts += if matches!(run.task, Task::PushSchedule { schedule: Some(_), .. }) { of_run } else { 0 };
    }
    let mut accepted = Counted::new();
    for restore in world.azure.lock().unwrap().accepted_restores() {
        *accepted.entry((restore.target.clone(), restore.blob.clone())).or_default() += 1;
    }
    for (key, count) in &accepted {
        let most = attempted.get(key).copied().unwrap_or_default();
        assert!(*count <= most, "seed {}: {count} restores for {most} attempts: {key:?}", world.seed);
    }
    for (key, least) in &succeeded {
        let count = accepted.get(key).copied().unwrap_or_default();
        // When the store's clock jumps, the order of restores is unknown.
        assert!(
            count >= *least || world.clock_jumps,
            "seed {}: {least} succeeded of {count}: {key:?}",
            world.seed
        );
    }
    let accepted_puts = world.azure.lock().unwrap().counters().schedule_puts;
    assert!(accepted_puts <= puts as u64, "seed {}: {accepted_puts} PUTs for {puts} attempts", world.seed);
}

/// Counts by target and blob.
type Counted = BTreeMap<(AppId, String), usize>;
