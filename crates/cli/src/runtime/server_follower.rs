//! Follows runs that a server carries out.

use std::time::Duration;

use holdfast_client::Server;
use holdfast_control::Error;
use holdfast_control::runs::{Progress, RunView, RunWithEvents};
use holdfast_model::{Outcome, RunId, inert};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::signals::stop_on_signal;

/// Pause between two looks at the runs.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Shows runs that were added, with `wait` at their ends. The exit is good only when every run succeeds.
pub async fn follow(
    ids: &[RunId],
    server: &Server,
    wait: bool,
    context: &Context,
    show: impl FnOnce(&[RunView]) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    if !wait {
        show(&load(server, ids).await?)?;
        return Ok(Exit::Done);
    }
    let stop = CancellationToken::new();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    let runs = watch(server, ids, &stop, context).await;
    stopper.abort();
    let runs = runs?;
    show(&runs)?;
    if stop.is_cancelled() {
        context.out.message("interrupted; the server goes on with the runs");
        return Ok(Exit::Interrupted);
    }
    let all_good = runs.iter().all(|run| run.outcome == Some(Outcome::Succeeded));
    Ok(if all_good { Exit::Done } else { Exit::Failed })
}

async fn load(server: &Server, ids: &[RunId]) -> Result<Vec<RunView>, Error> {
    let mut runs = Vec::new();
    for id in ids {
        runs.push(server.run(*id).await?.run);
    }
    Ok(runs)
}

/// Waits for the runs to end, or for a signal. Tells what delays them and how they end, as over the store itself.
async fn watch(
    server: &Server,
    ids: &[RunId],
    stop: &CancellationToken,
    context: &Context,
) -> Result<Vec<RunView>, Error> {
    let bar =
        (ids.len() > 1).then(|| context.out.progress(ids.len(), "{bar:40} {pos} of {len} ended [{elapsed}]"));
    let mut progress = Progress::default();
    let mut runs = load(server, ids).await?;
    loop {
        for run in &mut runs {
            if run.outcome.is_some() && progress.knows(run.id) {
                continue;
            }
            let RunWithEvents { run: now, events } = server.run(run.id).await?;
            for line in progress.of_run((&now, &events), ids.len(), context.clock.now()) {
                if !context.out.is_document() {
                    context.out.message(&inert(&line));
                }
            }
            *run = now;
        }
        if let Some(bar) = &bar {
            bar.set_position(u64::try_from(progress.ended()).unwrap_or(u64::MAX));
        }
        if stop.is_cancelled() || progress.ended() == runs.len() {
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
            return Ok(runs);
        }
        let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
    }
}
