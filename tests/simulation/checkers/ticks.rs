use holdfast_model::{AppId, Clock, OperatorAction, RunEvent, RunState, Timestamp};
use holdfast_store::{ActFilter, AuditEvent, Store as _};

use crate::simulated_world::{SimulatedWorld, start};

/// Each tick of each app has exactly one run, and that run ended. Ticks of a pause have none.
pub(crate) async fn ticks(world: &SimulatedWorld) {
    let by_app = world.ticks_by_app().await;
    let pauses = pauses(world).await;
    for (app, runs) in &by_app {
        let (_, policy) = world.fleet.scheduled(app).unwrap();
        for pair in runs.windows(2) {
            let (mut next, planned) = (policy.schedule.next_tick(app, pair[0].tick.unwrap()), pair[1].tick);
            while let Some(tick) = next.filter(|tick| Some(*tick) < planned) {
                let is_paused = |pause: &&Pause| pause.app == *app && pause.until >= tick;
                let pause = pauses.iter().filter(is_paused).find(|pause| Some(pause.since) < planned);
                assert!(pause.is_some(), "seed {}: {app}: the tick {tick} was skipped", world.seed);
                next = policy.schedule.next_tick(app, tick);
            }
            assert_eq!(next, planned, "seed {}: {app}: a tick was duplicated", world.seed);
        }
        for run in runs {
            assert!(matches!(run.state, RunState::Ended { .. }), "seed {}: {app}: {run:?}", world.seed);
            assert!(run.tick.unwrap() >= start(), "seed {}: {app}: a tick before the start", world.seed);
        }
    }
    // Every schedule but the daily one has a tick within the five hours of faults, unless it is paused.
    let any_due = world.fleet.apps.keys().any(|app| {
        let (_, policy) = world.fleet.scheduled(app).unwrap();
        policy.schedule.next_tick(app, start()).is_some_and(|tick| tick < world.clock.now())
    });
    assert!(!any_due || !by_app.is_empty() || !pauses.is_empty(), "seed {}: no run was planned", world.seed);
}

/// A pause of an app by the operator. One that the operator ended counts to its planned end.
struct Pause {
    app: AppId,
    since: Timestamp,
    until: Timestamp,
}

async fn pauses(world: &SimulatedWorld) -> Vec<Pause> {
    let acts = world.store.acts(&ActFilter { before: None, most: 100_000 }).await.unwrap();
    let pause = |act: &AuditEvent| match &act.event {
        RunEvent::ActionRecorded { action: OperatorAction::PausedUntil { until, .. }, .. } => {
            Some(Pause { app: act.app.clone(), since: act.at, until: *until })
        }
        _ => None,
    };
    acts.iter().filter_map(pause).collect()
}
