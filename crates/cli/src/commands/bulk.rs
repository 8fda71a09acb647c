//! Backups of many apps: what will be done, a confirmation, and the start.

use holdfast_client::{BackupsOf, PlannedBackups, Server, Started};
use holdfast_control::retry::{RetrySelection, RunSelection, select};
use holdfast_control::views::actions::{BackupAction, BackupPreview, LeftOut, Selection, back_up, preview};
use holdfast_control::views::{FleetReading, read_fleet};
use holdfast_control::{AddedRuns, ControlContext, Error, counted};
use holdfast_model::{Timestamp, format_duration};

use crate::args::ChangeOptions;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::submitter::{AddsRuns, Submitter};

/// Names of apps that are left out, at most.
const NAMED: usize = 10;

/// Shows what is backed up, what is left out and what that costs, asks with a verb, and starts it.
pub async fn start(
    (of, verb): (BackupsOf, &str),
    submitter: Submitter,
    options: ChangeOptions,
    context: &Context,
) -> anyhow::Result<Exit> {
    let plan = submitter.plan(&of, context).await?;
    explain(&plan.preview, plan.as_of, context);
    if plan.preview.starts.is_empty() {
        submitter.close().await;
        context.out.message("nothing is to do");
        return Ok(Exit::Done);
    }
    let question = format!("{verb} {}?", counted(plan.preview.starts.len(), "app"));
    confirm::agreed(&question, options.yes, context)?;
    added::start(submitter, (&of, &plan), options.wait, context).await
}

impl AddsRuns for BackupsOf {
    type Plan = PlannedBackups;

    async fn plan_here(&self, control: &ControlContext<'_>) -> anyhow::Result<PlannedBackups> {
        let reading = read_fleet(control.store, None).await?;
        let (selection, left_out) = selection(self, &reading, control).await?;
        let mut preview = preview(&reading, control.fleet, &selection)?;
        preview.left_out.extend(left_out);
        Ok(PlannedBackups { as_of: reading.at, preview })
    }

    async fn plan_there(&self, server: &Server) -> Result<PlannedBackups, Error> {
        server.plan_backups(self).await
    }

    async fn start_here(
        &self,
        _: &PlannedBackups,
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started> {
        let reading = read_fleet(control.store, None).await?;
        let (selection, left_out) = selection(self, &reading, control).await?;
        let (key, actor) = (rng.u128(..).to_string(), control.actor.clone());
        let action = BackupAction { selection, actor, key, asked_at: reading.at, request: None, left_out };
        let started = back_up(control.store, control.fleet, &reading, &action).await?;
        Ok(Started::Runs(AddedRuns { ids: started.runs, under_way: 0 }))
    }

    async fn start_there(&self, _: &PlannedBackups, server: &Server) -> Result<Started, Error> {
        server.back_up(self).await
    }
}

/// The apps that are backed up, and those of runs that need no retry.
async fn selection(
    of: &BackupsOf,
    reading: &FleetReading,
    control: &ControlContext<'_>,
) -> Result<(Selection, Vec<LeftOut>), Error> {
    match of {
        BackupsOf::Apps(apps) => Ok((Selection::Apps(apps.clone()), Vec::new())),
        BackupsOf::Runs(runs) => {
            let runs = RunSelection::Runs(runs.clone());
            let RetrySelection { apps, left_out, .. } = select(control.store, reading, &runs).await?;
            Ok((apps, left_out))
        }
    }
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
