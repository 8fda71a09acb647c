//! `holdfast restore` and `holdfast drill`: plan, confirmation, and the run.

use holdfast_client::{PlannedRestore, Server, Started};
use holdfast_control::restore::{
    DrillRequest, RestorePlan, RestoreRequest, execute, plan_drill, plan_restore,
};
use holdfast_control::runs::RunView;
use holdfast_control::{ControlContext, Error};
use serde::Serialize;

use crate::args::{Asked, ChangeOptions, DrillArgs, RestoreArgs};
use crate::commands::outcome::state_cell;
use crate::commands::{added, restore_many, restore_plan};
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::submitter::AddsRuns;

/// The plan and its run, as a document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    plan: &'a RestorePlan,
    /// `null` when only the plan was asked for.
    run: Option<RunView>,
}

/// Runs `holdfast restore`.
pub async fn restore(args: &RestoreArgs, context: &Context) -> anyhow::Result<Exit> {
    match args.asked()? {
        Asked::One(request) => carry_out(&OneApp::Restore(request), args.options, context).await,
        Asked::Many(request) => restore_many::carry_out(&request, args.options, context).await,
    }
}

/// Runs `holdfast drill`.
pub async fn drill(args: &DrillArgs, context: &Context) -> anyhow::Result<Exit> {
    match args.asked()? {
        Asked::One(request) => carry_out(&OneApp::Drill(request), args.options, context).await,
        Asked::Many(request) => restore_many::carry_out(&request, args.options, context).await,
    }
}

/// A restore or a drill of one app.
enum OneApp {
    Restore(RestoreRequest),
    Drill(DrillRequest),
}

/// Shows a plan, and after the confirmation adds its run.
async fn carry_out(change: &OneApp, options: ChangeOptions, context: &Context) -> anyhow::Result<Exit> {
    let submitter = context.submitter().await?;
    let planned = submitter.plan(change, context).await?;
    let plan = &planned.plan;
    if !context.out.is_document() {
        context.out.table(restore_plan::table(plan, planned.as_of))?;
        context.out.text("")?;
    } else if !options.yes {
        context.out.document(&Document { plan, run: None })?;
        return Ok(Exit::Done);
    }
    confirm::written(&plan.word(), &plan.question(), options.yes, context)?;
    let show = |views: &[RunView]| {
        let run = views.first().cloned();
        let table = run.as_ref().map_or_else(Table::default, table);
        Ok(context.out.show(&Document { plan, run }, || table.into())?)
    };
    added::start_showing(submitter, (change, &planned), options.wait, context, show).await
}

impl AddsRuns for OneApp {
    type Plan = PlannedRestore;

    async fn plan_here(&self, control: &ControlContext<'_>) -> anyhow::Result<PlannedRestore> {
        let plan = match self {
            Self::Restore(request) => plan_restore(control, request.clone()).await?,
            Self::Drill(request) => plan_drill(control, request.clone()).await?,
        };
        Ok(PlannedRestore { as_of: control.now, plan })
    }

    async fn plan_there(&self, server: &Server) -> Result<PlannedRestore, Error> {
        match self {
            Self::Restore(request) => server.plan_restore(request).await,
            Self::Drill(request) => server.plan_drill(request).await,
        }
    }

    async fn start_here(
        &self,
        planned: &PlannedRestore,
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started> {
        let plans = std::slice::from_ref(&planned.plan);
        Ok(added::told(execute(control, plans, rng).await?, control))
    }

    async fn start_there(&self, planned: &PlannedRestore, server: &Server) -> Result<Started, Error> {
        let word = planned.plan.word();
        match self {
            Self::Restore(request) => server.restore(request, &word).await,
            Self::Drill(request) => server.drill(request, &word).await,
        }
    }
}

fn table(run: &RunView) -> Table {
    let mut table = Table::new(["APP", "RUN", "STATE"]);
    table.row([run.name.as_str().into(), run.id.to_string().into(), state_cell(run)]);
    table
}
