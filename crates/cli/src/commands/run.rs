//! `holdfast run`: everything in one process, until stopped.

use std::sync::Arc;

use holdfast_store::{Mode, OneProcess, SqliteStore};
use tokio_util::sync::CancellationToken;

use crate::args::RunArgs;
use crate::context::Context;
use crate::engine::{ArmCalls, Duty, Engine, Parts};
use crate::exit::Exit;

/// Runs the scheduler and the workers until Ctrl-C or SIGTERM, then finishes the steps in hand.
pub async fn run(_args: &RunArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let path = &context.global.store;
    let _only_one = OneProcess::lock(path)?;
    let store = Arc::new(context.store(Mode::Own).await?);
    let engine = Engine::new(Parts {
        fleet,
        store,
        clock: Arc::clone(&context.clock),
        calls: Arc::new(ArmCalls::default()),
        rng: context.rng(),
    })?;
    tracing::info!(store = %path.display(), fleet = %context.global.fleet.display(), "running; stop with Ctrl-C");
    let stop = CancellationToken::new();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    engine.run(Duty::PlanAndWork, stop).await;
    stopper.abort();
    tracing::info!("stopped; every step in hand is finished, and nothing is lost");
    Ok(Exit::Done)
}

/// Cancels `stop` at the first Ctrl-C or SIGTERM. A second one ends the process at once, which loses nothing either:
/// the next start carries on.
pub async fn stop_on_signal(stop: CancellationToken) {
    let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        return;
    };
    for is_first in [true, false] {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        if is_first {
            tracing::info!("stopping: finishing the steps in hand; once more to stop at once");
            stop.cancel();
        } else {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    }
}

/// Opens the store for a command that works beside a `holdfast run`, or in its stead.
pub async fn open_beside(context: &Context) -> anyhow::Result<(Arc<SqliteStore>, Option<OneProcess>)> {
    let path = &context.global.store;
    let alone = match OneProcess::lock(path) {
        Ok(lock) => Some(lock),
        Err(holdfast_store::Error::InUse(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let mode = if alone.is_some() { Mode::Own } else { Mode::Join };
    let store = context.store(mode).await?;
    Ok((Arc::new(store), alone))
}
