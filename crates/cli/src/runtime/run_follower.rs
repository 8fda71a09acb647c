//! Runs that a command adds: who carries them out, and how they end.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Outcome, Run, RunId, RunState};
use holdfast_store::{OneProcess, Store};
use tokio_util::sync::CancellationToken;

use crate::commands::run::stop_on_signal;
use crate::context::Context;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::runtime::backends::Backends;
use crate::runtime::{Engine, EngineParts, Role};
use holdfast_config::Fleet;

/// How often the store is asked whether the runs have ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Shows runs that were just added. With `wait` it follows them to their ends first: it carries them out from here where
/// no other process works on the store, and else watches the one that does. Good only when every run ended well.
pub async fn added(
    ids: &[RunId],
    (fleet, backends): (Fleet, Backends),
    wait: bool,
    (context, rng): (&Context, fastrand::Rng),
    show: impl FnOnce(&[Run]) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    if !wait {
        let runs = load(&*backends.store, ids).await?;
        backends.store.close().await;
        show(&runs)?;
        if backends.carries {
            context.out.message(
                "this begins when `holdfast run` works on this store; --wait carries it out from here",
            );
        }
        return Ok(Exit::Done);
    }
    let (runs, was_stopped) = out(fleet, backends, ids, context, rng).await?;
    show(&runs)?;
    if was_stopped {
        context.out.message("interrupted; the runs are kept, and `holdfast run` carries them on");
        return Ok(Exit::Interrupted);
    }
    let all_good = runs.iter().all(|run| outcome(run) == Some(Outcome::Succeeded));
    Ok(if all_good { Exit::Done } else { Exit::Failed })
}

/// How a run ended, if it did.
pub fn outcome(run: &Run) -> Option<Outcome> {
    match run.state {
        RunState::Ended { outcome, .. } => Some(outcome),
        _ => None,
    }
}

/// The runs at their ends, or as they stand when somebody stopped the command, and whether somebody did.
async fn out(
    fleet: Fleet,
    backends: Backends,
    ids: &[RunId],
    context: &Context,
    rng: fastrand::Rng,
) -> anyhow::Result<(Vec<Run>, bool)> {
    let Backends { store, queue, carries, lock, .. } = backends;
    let stop = CancellationToken::new();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    let (clock, telemetry) = (Arc::clone(&context.clock), &context.telemetry);
    let (watched, queue) = (telemetry.store(Arc::clone(&store)), telemetry.queue(queue));
    let (calls, steps) = (telemetry.calls(), telemetry.steps());
    let parts = EngineParts { fleet, store: watched, queue, clock, calls, steps, rng };
    let work = if carries { Some(carry(lock, parts, &stop)?) } else { None };
    let ended = follow(&*store, ids, &stop, context).await;
    let was_stopped = stop.is_cancelled();
    stop.cancel();
    if let Some(work) = work {
        work.await?;
    }
    stopper.abort();
    // What was written is brought into the store's one file, so that a copy of it is whole.
    store.close().await;
    Ok((ended?, was_stopped))
}

async fn load(store: &dyn Store, ids: &[RunId]) -> anyhow::Result<Vec<Run>> {
    let mut runs = Vec::new();
    for id in ids {
        runs.extend(store.load(*id).await?.map(|loaded| loaded.run));
    }
    Ok(runs)
}

/// Carries out what is planned until `stop`. The lock is held as long as that takes.
fn carry(
    lock: Option<OneProcess>,
    parts: EngineParts,
    stop: &CancellationToken,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let (engine, stop) = (Engine::new(parts)?, stop.clone());
    Ok(tokio::spawn(async move {
        engine.run(Role::Follower, stop).await;
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
