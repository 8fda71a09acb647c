use std::collections::BTreeMap;

use holdfast_model::schedule::PauseWindow;
use holdfast_model::{AppId, Clock, OperatorAction, RunEvent, RunState};
use holdfast_store::{ActFilter, Store as _};

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
                let is_paused =
                    pauses.get(app).is_some_and(|pauses| pauses.iter().any(|pause| pause.contains(tick)));
                assert!(is_paused, "seed {}: {app}: the tick {tick} was skipped", world.seed);
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

/// The pauses of each app by the operator, each up to its end, or to the next pause or resumption.
async fn pauses(world: &SimulatedWorld) -> BTreeMap<AppId, Vec<PauseWindow>> {
    let mut acts = world.store.acts(&ActFilter { before: None, most: 100_000 }).await.unwrap();
    acts.sort_by_key(|act| act.link.seq);
    let mut pauses: BTreeMap<AppId, Vec<PauseWindow>> = BTreeMap::new();
    for act in acts {
        let RunEvent::ActionRecorded { action, .. } = act.event else { continue };
        let began = match action {
            OperatorAction::PausedUntil { until, .. } => Some(PauseWindow { since: act.at, until }),
            OperatorAction::PauseEnded { .. } => None,
            _ => continue,
        };
        let of_app = pauses.entry(act.app).or_default();
        if let Some(last) = of_app.last_mut() {
            last.until = last.until.min(act.at);
        }
        of_app.extend(began);
    }
    pauses
}
