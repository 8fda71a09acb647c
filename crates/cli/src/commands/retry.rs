//! `holdfast runs retry`: the apps of runs that did not succeed are backed up again.

use std::collections::BTreeSet;

use holdfast_control::retry::{RetrySelection, RunSelection, select, unsuccessful};
use holdfast_control::selector::Selector;
use holdfast_control::views::read_fleet;

use crate::args::RetryArgs;
use crate::commands::bulk::{self, BulkBackup};
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;

/// Runs the command.
pub async fn run(args: &RetryArgs, context: &Context) -> anyhow::Result<Exit> {
    let (fleet, backends) = Backends::open_with_fleet(context).await?;
    let reading = read_fleet(&*backends.store, None).await?;
    let mut runs: BTreeSet<_> = args.runs.runs.iter().copied().collect();
    if runs.is_empty() {
        let apps = Selector::from(&args.runs.matching).apps(&reading)?;
        runs = unsuccessful(&reading, &apps.into_iter().collect());
    }
    let RetrySelection { apps, left_out, .. } =
        select(&*backends.store, &reading, &RunSelection::Runs(runs)).await?;
    let bulk = BulkBackup { selection: apps, left_out, verb: "Retry" };
    bulk::start(bulk, (fleet, backends), args.options, context).await
}
