//! Follows the runs that a command added, and carries them out where no other process does.

use std::sync::Arc;
use std::time::Duration;

use holdfast_config::Fleet;
use holdfast_control::runs::{Progress, RunView};
use holdfast_model::{Outcome, Run, RunId, RunState, inert};
use holdfast_store::{OneProcess, Store};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;
use crate::runtime::signals::stop_on_signal;
use holdfast_runtime::{Engine, EngineParts, Role};

/// Pause between two looks at the runs.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Shows runs that were added, with `wait` at their ends.
///
/// With `wait`, this process carries them out when no other process works on the store. The exit is good only when every
/// run succeeds.
pub async fn follow(
    ids: &[RunId],
    (fleet, backends): (Fleet, Backends),
    wait: bool,
    (context, rng): (&Context, fastrand::Rng),
    show: impl FnOnce(&[RunView]) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    if !wait {
        let runs = load(&*backends.store, ids).await?;
        backends.store.close().await;
        show(&views(&runs))?;
        if backends.carries {
            context.out.message(
                "this starts when `holdfast run` works on this store; --wait carries it out from here",
            );
        }
        return Ok(Exit::Done);
    }
    let (runs, was_stopped) = to_the_end(fleet, backends, ids, context, rng).await?;
    show(&views(&runs))?;
    if was_stopped {
        context.out.message("interrupted; the runs are kept, and `holdfast run` continues them");
        return Ok(Exit::Interrupted);
    }
    let all_good =
        runs.iter().all(|run| matches!(run.state, RunState::Ended { outcome: Outcome::Succeeded, .. }));
    Ok(if all_good { Exit::Done } else { Exit::Failed })
}

/// The runs at their ends, or when a signal stops the command, and whether one did.
async fn to_the_end(
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
    let ended = watch(&*store, ids, &stop, context).await;
    let was_stopped = stop.is_cancelled();
    stop.cancel();
    if let Some(work) = work {
        work.await?;
    }
    stopper.abort();
    // Closing merges what was written into the store's one file, so that a copy of it is whole.
    store.close().await;
    Ok((ended?, was_stopped))
}

fn views(runs: &[Run]) -> Vec<RunView> {
    runs.iter().map(RunView::from).collect()
}

/// Runs of one statement.
const RUNS: usize = 250;

async fn load(store: &dyn Store, ids: &[RunId]) -> anyhow::Result<Vec<Run>> {
    let mut runs = Vec::new();
    for some in ids.chunks(RUNS) {
        let loaded = store.load_all(some).await?;
        runs.extend(loaded.into_iter().flatten().map(|loaded| loaded.run));
    }
    Ok(runs)
}

/// Carries out due runs until `stop`; holds the lock as long.
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

async fn watch(
    store: &dyn Store,
    ids: &[RunId],
    stop: &CancellationToken,
    context: &Context,
) -> anyhow::Result<Vec<Run>> {
    let mut progress = Progress::default();
    let style = "{bar:40} {pos} of {len} ended [{elapsed}]";
    let bar = (ids.len() > 1).then(|| context.out.progress(ids.len(), style));
    loop {
        let runs = load(store, ids).await?;
        for line in progress.news(&runs, store).await? {
            if !context.out.is_document() {
                context.out.message(&inert(&line));
            }
        }
        let ended = runs.iter().filter(|run| run.state.is_ended()).count();
        if let Some(bar) = &bar {
            bar.set_position(u64::try_from(ended).unwrap_or(u64::MAX));
        }
        if stop.is_cancelled() || ended == runs.len() {
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
            return Ok(runs);
        }
        let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
    }
}
