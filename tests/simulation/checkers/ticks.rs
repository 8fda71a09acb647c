use holdfast_model::{Clock, RunState};

use crate::simulated_world::{SimulatedWorld, start};

/// Each tick of each app has exactly one run, and that run ended.
pub(crate) async fn ticks(world: &SimulatedWorld) {
    let by_app = world.ticks_by_app().await;
    for (app, runs) in &by_app {
        let (_, policy) = world.fleet.scheduled(app).unwrap();
        for pair in runs.windows(2) {
            let next = policy.schedule.next_tick(app, pair[0].tick.unwrap());
            assert_eq!(next, pair[1].tick, "seed {}: {app}: a tick was duplicated or skipped", world.seed);
        }
        for run in runs {
            assert!(matches!(run.state, RunState::Ended { .. }), "seed {}: {app}: {run:?}", world.seed);
            assert!(run.tick.unwrap() >= start(), "seed {}: {app}: a tick before the start", world.seed);
        }
    }
    // Every schedule but the daily one has a tick within the five hours of faults.
    let any_due = world.fleet.apps.keys().any(|app| {
        let (_, policy) = world.fleet.scheduled(app).unwrap();
        policy.schedule.next_tick(app, start()).is_some_and(|tick| tick < world.clock.now())
    });
    assert!(!any_due || !by_app.is_empty(), "seed {}: no run was planned", world.seed);
}
