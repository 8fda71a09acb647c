//! What a throttled subscription costs another one.

use std::time::Duration;

use holdfast_model::{
    App, AppId, Call, NewBackup, NewRun, PolicySnapshot, RunId, StorageName, SubscriptionId, Trigger,
};
use holdfast_store::Store;

use crate::options::Options;
use crate::report::{Neighbour, median};
use crate::throughput::embedded_round_beside;

/// Due runs of the throttled subscription.
const WAITING: usize = 100_000;
const THROTTLED: &str = "11111111-2222-3333-4444-555555555555";

/// Measures the embedded form in pairs, alone and beside the throttled subscription.
pub(crate) async fn measure(options: &Options) -> Neighbour {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        for (waiting, paces) in [(0, &mut alone), (WAITING, &mut beside)] {
            let round = embedded_round_beside(options, waiting).await;
            paces.push(options.runs as f64 / round.seconds);
        }
    }
    Neighbour {
        waiting: WAITING,
        alone_runs_per_second: median(alone),
        beside_runs_per_second: median(beside),
    }
}

/// Adds due runs of a subscription that accepts no writes for a day.
pub(crate) async fn add_waiting(store: &dyn Store, count: usize) {
    if count == 0 {
        return;
    }
    let (mut rng, now) = (fastrand::Rng::with_seed(2), store.now().await.unwrap());
    let snapshot = PolicySnapshot::new(StorageName::new("sim"), "throttled");
    let mut run = |number: usize| {
        let app = App::new(AppId::new(THROTTLED, "group", &format!("app-{number}"), None));
        let backup = NewBackup { tick: None, trigger: Trigger::Manual, due_at: now };
        NewRun::backup(RunId::new(now, &mut rng), &app, &snapshot, backup, now)
    };
    let runs: Vec<NewRun> = (0..count).map(&mut run).collect();
    for some in runs.chunks(2_000) {
        store.add_runs(some).await.unwrap();
    }
    let until = now + Duration::from_hours(24);
    store.close_budget(&SubscriptionId::new(THROTTLED), Call::Write, until).await.unwrap();
}
