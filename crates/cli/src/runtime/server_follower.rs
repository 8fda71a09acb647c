//! Follows runs that a server carries out.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_client::Server;
use holdfast_control::Error;
use holdfast_control::runs::RunView;
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

/// Waits for the runs to end, or for a signal. Prints each end, and for several runs how many have ended.
async fn watch(
    server: &Server,
    ids: &[RunId],
    stop: &CancellationToken,
    context: &Context,
) -> Result<Vec<RunView>, Error> {
    let bar =
        (ids.len() > 1).then(|| context.out.progress(ids.len(), "{bar:40} {pos} of {len} ended [{elapsed}]"));
    let mut runs = load(server, ids).await?;
    let mut told: BTreeSet<RunId> = BTreeSet::new();
    loop {
        for run in &mut runs {
            if told.contains(&run.id) {
                continue;
            }
            *run = server.run(run.id).await?.run;
            let Some(outcome) = run.outcome else { continue };
            told.insert(run.id);
            let cause = run.cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            let (of, outcome) = (format!("{} of {} ended", told.len(), ids.len()), outcome.as_str());
            let line = format!("{of}: {} of {}: {outcome}{cause}", run.kind, run.name);
            if ids.len() > 1 && !context.out.is_document() {
                context.out.message(&inert(&line));
            }
        }
        if let Some(bar) = &bar {
            bar.set_position(u64::try_from(told.len()).unwrap_or(u64::MAX));
        }
        if stop.is_cancelled() || told.len() == runs.len() {
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
            return Ok(runs);
        }
        let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
    }
}
