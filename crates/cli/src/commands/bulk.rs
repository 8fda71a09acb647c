//! Backups of many apps: what will be done, a confirmation, and the start.

use holdfast_config::Fleet;
use holdfast_control::views::actions::{BackupAction, BackupPreview, LeftOut, Selection, back_up, preview};
use holdfast_control::views::read_fleet;
use holdfast_control::{AddedRuns, counted};
use holdfast_model::{Timestamp, format_duration};

use crate::args::ChangeOptions;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;

/// Names of apps that are left out, at most.
const NAMED: usize = 10;

/// Apps to back up, and what a question calls that.
pub struct BulkBackup {
    /// The apps.
    pub selection: Selection,
    /// Apps that were left out before, each with the reason.
    pub left_out: Vec<LeftOut>,
    /// `Back up` or `Retry`.
    pub verb: &'static str,
}

/// Shows what is backed up, what is left out and what that costs, asks, and starts it.
pub async fn start(
    bulk: BulkBackup,
    (fleet, backends): (Fleet, Backends),
    options: ChangeOptions,
    context: &Context,
) -> anyhow::Result<Exit> {
    let store = &*backends.store;
    let reading = read_fleet(store, None).await?;
    let BulkBackup { selection, left_out, verb } = bulk;
    let mut shown = preview(&reading, &fleet, &selection)?;
    shown.left_out.extend(left_out.iter().cloned());
    explain(&shown, reading.at, context);
    if shown.starts.is_empty() {
        backends.store.close().await;
        context.out.message("nothing is to do");
        return Ok(Exit::Done);
    }
    let question = format!("{verb} {}?", counted(shown.starts.len(), "app"));
    confirm::agreed(&question, options.yes, context)?;
    let mut rng = context.rng();
    let key = rng.u128(..).to_string();
    let (actor, asked_at) = (context.actor(), reading.at);
    let action = BackupAction { selection, actor, key, asked_at, request: None, left_out };
    let started = back_up(store, &fleet, &reading, &action).await?;
    let added = AddedRuns { ids: started.runs, under_way: 0 };
    added::follow(&added, (fleet, backends), options.wait, context, rng).await
}

fn explain(shown: &BackupPreview, now: Timestamp, context: &Context) {
    for LeftOut { app, why } in shown.left_out.iter().take(NAMED) {
        context.out.message(&format!("{} is left out: {why}", app.short_name()));
    }
    if shown.left_out.len() > NAMED {
        context.out.message(&format!("{} more are left out", shown.left_out.len() - NAMED));
    }
    if !shown.under_way.is_empty() {
        let apps = counted(shown.under_way.len(), "app");
        context.out.message(&format!("{apps} with a run under way: left out"));
    }
    let slowest = shown.writes.iter().filter_map(|estimate| estimate.takes_s).max();
    if let Some(seconds) = slowest.filter(|seconds| *seconds > 0) {
        let takes = format_duration(std::time::Duration::from_secs(seconds));
        let end = (now + std::time::Duration::from_secs(seconds)).format("%H:%M UTC");
        context.out.message(&format!("Azure's budget lets the last of them start in {takes}, at {end}"));
    }
}
