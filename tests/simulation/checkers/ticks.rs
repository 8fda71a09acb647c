use holdfast_model::{Clock, RunState};

use crate::simulated_world::{SimulatedWorld, start};

/// Each tick of each app ended in one outcome or one recorded miss, and none was left out.
pub(crate) async fn ticks(world: &SimulatedWorld) {
    let by_app = world.ticks_by_app().await;
    for (app, runs) in &by_app {
        let (_, policy) = world.fleet.scheduled(app).unwrap();
        for pair in runs.windows(2) {
            let next = policy.schedule.next_tick(app, pair[0].tick.unwrap());
            assert_eq!(next, pair[1].tick, "seed {}: {app}: a tick was doubled or left out", world.seed);
        }
        for run in runs {
            assert!(matches!(run.state, RunState::Ended { .. }), "seed {}: {app}: {run:?}", world.seed);
            assert!(run.tick.unwrap() >= start(), "seed {}: {app}: a tick from before the fleet", world.seed);
        }
    }
    // Five hours of trouble hold a tick of every schedule but the daily one, whatever the clock does.
    let any_due = world.fleet.apps.keys().any(|app| {
        let (_, policy) = world.fleet.scheduled(app).unwrap();
        policy.schedule.next_tick(app, start()).is_some_and(|tick| tick < world.clock.now())
    });
    assert!(!any_due || !by_app.is_empty(), "seed {}: nothing was ever planned", world.seed);
}
