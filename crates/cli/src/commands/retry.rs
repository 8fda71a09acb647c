//! `holdfast runs retry`: the apps of runs that did not succeed are backed up again.

use std::collections::BTreeSet;

use holdfast_client::BackupsOf;
use holdfast_control::selector::Selector;

use crate::args::RetryArgs;
use crate::commands::bulk;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(args: &RetryArgs, context: &Context) -> anyhow::Result<Exit> {
    let mut runs: BTreeSet<_> = args.runs.runs.iter().copied().collect();
    if runs.is_empty() {
        runs = context.ask(&Selector::from(&args.runs.matching)).await?.unsuccessful;
    }
    let submitter = context.submitter().await?;
    if runs.is_empty() {
        submitter.close().await;
        context.out.message("nothing is to do");
        return Ok(Exit::Done);
    }
    bulk::start((BackupsOf::Runs(runs), "Retry"), submitter, args.options, context).await
}
