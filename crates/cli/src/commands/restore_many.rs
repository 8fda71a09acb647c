//! `holdfast restore` and `holdfast drill` of many apps: the plan of all, a confirmation, and the runs.

use holdfast_client::{PlannedRestores, Server, Started};
use holdfast_control::restore::{ManyPlan, ManyRestores, NEVER_RESTORED, RestorePlan, execute, plan_many};
use holdfast_control::runs::RunView;
use holdfast_control::{ControlContext, Error};
use holdfast_model::Timestamp;
use serde::Serialize;

use crate::args::ChangeOptions;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, age, bytes};
use crate::submitter::AddsRuns;

/// The plan and its runs, as a document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    plan: &'a ManyPlan,
    /// `null` when only the plan was asked for.
    runs: Option<&'a [RunView]>,
}

/// Shows the plan of all apps, and after the confirmation adds the runs.
pub async fn carry_out(
    request: &ManyRestores,
    options: ChangeOptions,
    context: &Context,
) -> anyhow::Result<Exit> {
    let submitter = context.submitter().await?;
    let planned = submitter.plan(request, context).await?;
    let plan = &planned.plan;
    if !context.out.is_document() {
        show(&planned, context)?;
    } else if !options.yes || plan.starts.is_empty() {
        submitter.close().await;
        context.out.document(&Document { plan, runs: None })?;
        return Ok(if plan.starts.is_empty() { Exit::Failed } else { Exit::Done });
    }
    if plan.starts.is_empty() {
        submitter.close().await;
        context.out.message("nothing is to do: every selected app is left out");
        return Ok(Exit::Failed);
    }
    confirm::written(&plan.word(), &plan.question(), options.yes, context)?;
    let show = |views: &[RunView]| {
        Ok(context.out.show(&Document { plan, runs: Some(views) }, || added::table(views).into())?)
    };
    added::start_showing(submitter, (request, &planned), options.wait, context, show).await
}

impl AddsRuns for ManyRestores {
    type Plan = PlannedRestores;

    async fn plan_here(&self, control: &ControlContext<'_>) -> anyhow::Result<PlannedRestores> {
        let plan = plan_many(control, self).await?;
        Ok(PlannedRestores { id: String::new(), as_of: control.now, plan })
    }

    async fn plan_there(&self, server: &Server) -> Result<PlannedRestores, Error> {
        server.plan_many(self).await
    }

    async fn start_here(
        &self,
        planned: &PlannedRestores,
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started> {
        Ok(added::told(execute(control, &planned.plan.starts, rng).await?, control))
    }

    async fn start_there(&self, planned: &PlannedRestores, server: &Server) -> Result<Started, Error> {
        server.start_many(planned).await
    }
}

fn show(PlannedRestores { plan, as_of, .. }: &PlannedRestores, context: &Context) -> anyhow::Result<()> {
    if !plan.starts.is_empty() {
        context.out.table(table(plan, *as_of))?;
        context.out.text(&format!("not restored: {}", NEVER_RESTORED.join(", ")))?;
    }
    if !plan.left_out.is_empty() {
        let mut table = Table::new(["LEFT OUT", "WHY"]);
        for left in &plan.left_out {
            table.row([left.app.short_name().into(), left.why.as_str().into()]);
        }
        context.out.table(table)?;
    }
    for warning in &plan.warnings {
        context.out.message(&format!("warning: {warning}"));
    }
    Ok(())
}

fn table(plan: &ManyPlan, now: Timestamp) -> Table {
    let mut table = Table::new(["APP", "BACKUP", "TAKEN", "SIZE", "INTO", "DATABASES", "WARNING"]);
    for planned in &plan.starts {
        let RestorePlan { source, backup, target, warnings, .. } = planned;
        table.row([
            source.short_name().into(),
            Cell::or_dash(backup.id.map(|id| id.to_string())),
            Cell::or_dash(backup.taken_at.map(|at| age(at, now))),
            Cell::or_dash(backup.size_bytes.map(bytes)),
            if target.exists { planned.word() } else { format!("{} (new)", target.app.short_name()) }.into(),
            databases(planned).into(),
            Cell::or_dash((!warnings.is_empty()).then(|| warnings.join("; "))),
        ]);
    }
    table
}

fn databases(plan: &RestorePlan) -> String {
    let names: Vec<&str> = plan.databases.iter().map(|database| database.name.as_str()).collect();
    match (plan.backup.databases.is_empty(), names.is_empty()) {
        (true, _) => "-".to_owned(),
        (false, true) => "left as they are".to_owned(),
        (false, false) => names.join(", "),
    }
}
