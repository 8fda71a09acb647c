//! Runs that a command adds: who carries them out, and how they end.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Outcome, Run, RunId, RunState};
use holdfast_store::{OneProcess, Store};
use tokio_util::sync::CancellationToken;

use crate::backends::Backends;
use crate::commands::run::stop_on_signal;
use crate::config::Fleet;
use crate::context::Context;
use crate::engine::{Engine, Parts, Role};
use crate::exit::Exit;
use crate::progress::Progress;

/// How often the store is asked whether the runs have ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What became of the runs.
#[derive(Debug)]
pub struct Carried {
    /// The runs as they stand.
    pub runs: Vec<Run>,
    /// Somebody stopped the command before they ended.
    pub was_stopped: bool,
}

/// Follows the runs to their ends: carries them out from here where no other process works on the store, and else
/// watches the one that does.
pub async fn out(
    fleet: Fleet,
    backends: Backends,
    ids: &[RunId],
    context: &Context,
    rng: fastrand::Rng,
) -> anyhow::Result<Carried> {
    let Backends { store, queue, carries, lock, .. } = backends;
    let stop = CancellationToken::new();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    let (clock, telemetry) = (Arc::clone(&context.clock), &context.telemetry);
    let (watched, queue) = (telemetry.store(Arc::clone(&store)), telemetry.queue(queue));
    let (calls, steps) = (telemetry.calls(), telemetry.steps());
    let parts = Parts { fleet, store: watched, queue, clock, calls, steps, rng };
    let work = if carries { Some(carry(lock, parts, &stop)?) } else { None };
    let ended = follow(&*store, ids, &stop, context).await;
    let was_stopped = stop.is_cancelled();
    stop.cancel();
    if let Some(work) = work {
        work.await?;
    }
    stopper.abort();
    Ok(Carried { runs: ended?, was_stopped })
}

/// The runs as they stand.
pub async fn load(store: &dyn Store, ids: &[RunId]) -> anyhow::Result<Vec<Run>> {
    let mut runs = Vec::new();
    for id in ids {
        runs.extend(store.load(*id).await?.map(|loaded| loaded.run));
    }
    Ok(runs)
}

/// Says that runs which were only added wait for somebody.
pub fn tell_who_carries(backends: &Backends, context: &Context) {
    if backends.carries {
        context
            .out
            .message("this begins when `holdfast run` works on this store; --wait carries it out from here");
    }
}

/// The command's exit: good only when every run ended well.
pub fn exit(runs: &[Run], was_stopped: bool, context: &Context) -> Exit {
    if was_stopped {
        context.out.message("interrupted; the runs are kept, and `holdfast run` carries them on");
        return Exit::Interrupted;
    }
    let all_good = runs.iter().all(|run| outcome(run) == Some(Outcome::Succeeded));
    if all_good { Exit::Done } else { Exit::Failed }
}

/// How a run ended, if it did.
pub fn outcome(run: &Run) -> Option<Outcome> {
    match run.state {
        RunState::Ended { outcome, .. } => Some(outcome),
        _ => None,
    }
}

/// Carries out what is planned until `stop`. The lock is held as long as that takes.
fn carry(
    lock: Option<OneProcess>,
    parts: Parts,
    stop: &CancellationToken,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let (engine, stop) = (Engine::new(parts)?, stop.clone());
    Ok(tokio::spawn(async move {
        engine.run(Role::Carrier, stop).await;
        drop(lock);
    }))
}

async fn follow(
    store: &dyn Store,
    ids: &[RunId],
    stop: &CancellationToken,
    context: &Context,
) -> anyhow::Result<Vec<Run>> {
    let mut progress = Progress::default();
    loop {
        let runs = load(store, ids).await?;
        progress.tell(&runs, store, context).await?;
        if stop.is_cancelled() || runs.iter().all(|run| run.state.is_ended()) {
            return Ok(runs);
        }
        let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
    }
}
