//! `holdfast restore` and `holdfast drill`: plan, confirmation, and the run.

use holdfast_config::Fleet;
use holdfast_control::approvals::Started;
use holdfast_control::restore::{DrillRequest, RestorePlan, execute, plan_drill, plan_restore};
use holdfast_control::runs::RunView;
use holdfast_model::Run;
use serde::Serialize;

use crate::args::{ChangeOptions, DrillArgs, RestoreArgs};
use crate::commands::outcome::state_cell;
use crate::commands::{added, restore_plan};
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::runtime::backends::Backends;
use crate::runtime::run_follower;

/// The plan and its run, as a document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    plan: &'a RestorePlan,
    /// `null` when only the plan was asked for.
    run: Option<RunView>,
}

/// Runs `holdfast restore`.
pub async fn restore(args: &RestoreArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let control = context.control(&fleet, &backends.store).await?;
    let plan = plan_restore(&control, args.clone().into()).await?;
    carry_out(&plan, args.options, (&fleet, backends), context).await
}

/// Runs `holdfast drill`.
pub async fn drill(args: &DrillArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let control = context.control(&fleet, &backends.store).await?;
    let DrillArgs { app, backup, into, probe, options, .. } = args.clone();
    let plan = plan_drill(&control, DrillRequest { app, backup, into, probe }).await?;
    carry_out(&plan, options, (&fleet, backends), context).await
}

/// Shows a plan, and after the confirmation adds its run.
async fn carry_out(
    plan: &RestorePlan,
    options: ChangeOptions,
    (fleet, backends): (&Fleet, Backends),
    context: &Context,
) -> anyhow::Result<Exit> {
    let control = context.control(fleet, &backends.store).await?;
    if !context.out.is_document() {
        context.out.table(restore_plan::table(plan, control.now))?;
        context.out.text("")?;
    } else if !options.yes {
        context.out.document(&Document { plan, run: None })?;
        return Ok(Exit::Done);
    }
    confirm::written(&plan.word(), &plan.question(), options.yes, context)?;
    let mut rng = context.rng();
    let added = match execute(&control, plan, &mut rng).await? {
        Started::Runs(added) => added,
        Started::Asked(approval) => return added::asked(&approval, context),
    };
    let show = |runs: &[Run]| {
        let run = runs.first().map(RunView::from);
        let table = run.as_ref().map_or_else(Table::default, table);
        Ok(context.out.show(&Document { plan, run }, || table.into())?)
    };
    run_follower::follow(&added.ids, (fleet.clone(), backends), options.wait, (context, rng), show).await
}

fn table(run: &RunView) -> Table {
    let mut table = Table::new(["APP", "RUN", "STATE"]);
    table.row([run.name.as_str().into(), run.id.to_string().into(), state_cell(run)]);
    table
}
