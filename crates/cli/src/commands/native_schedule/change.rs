//! `holdfast native-schedule push` and `remove`: set or remove Azure's own schedules.

use holdfast_client::{Server, Started};
use holdfast_control::native_schedule::{self, AppSchedule};
use holdfast_control::selector::Selector;
use holdfast_control::{AddedRuns, ControlContext, Error, counted};

use super::text::text;
use crate::args::ChangeArgs;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::submitter::AddsRuns;

/// Azure's own schedules of apps that are set, or removed.
struct Schedules {
    apps: Selector,
    remove: bool,
}

/// Runs `holdfast native-schedule push`.
pub async fn push(args: &ChangeArgs, context: &Context) -> anyhow::Result<Exit> {
    let (change, submitter) =
        (Schedules { apps: (&args.apps).into(), remove: false }, context.submitter().await?);
    let plan = submitter.plan(&change, context).await?;
    show("TO PUSH", &plan, context);
    let enabled = plan.iter().filter(|change| change.schedule.enabled).count();
    if enabled > 0 {
        context.out.message(&format!(
            "warning: Azure takes a backup at once when a schedule is enabled: up to {} now",
            counted(enabled, "backup")
        ));
    }
    let apps = counted(plan.len(), "app");
    confirm::agreed(&format!("Set Azure's own schedule of {apps}?"), args.options.yes, context)?;
    added::start(submitter, (&change, &plan), args.options.wait, context).await
}

/// Runs `holdfast native-schedule remove`.
pub async fn remove(args: &ChangeArgs, context: &Context) -> anyhow::Result<Exit> {
    let (change, submitter) =
        (Schedules { apps: (&args.apps).into(), remove: true }, context.submitter().await?);
    let plan = submitter.plan(&change, context).await?;
    let wait = args.options.wait && !plan.is_empty();
    if plan.is_empty() {
        context.out.message("nothing to remove: Azure has no schedule of its own for these apps");
    } else {
        show("TO REMOVE", &plan, context);
        let apps = counted(plan.len(), "app");
        confirm::agreed(&format!("Remove Azure's own schedule of {apps}?"), args.options.yes, context)?;
    }
    added::start(submitter, (&change, &plan), wait, context).await
}

impl AddsRuns for Schedules {
    type Plan = Vec<AppSchedule>;

    async fn plan_here(&self, control: &ControlContext<'_>) -> anyhow::Result<Self::Plan> {
        let apps = self.apps.selection(control.store).await?;
        Ok(if self.remove {
            native_schedule::plan_removal(control, &apps).await?
        } else {
            native_schedule::plan_push(control, &apps).await?
        })
    }

    async fn plan_there(&self, server: &Server) -> Result<Self::Plan, Error> {
        server.plan_schedules(&server.selection(&self.apps).await?, self.remove).await
    }

    async fn start_here(
        &self,
        plan: &Self::Plan,
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started> {
        Ok(Started::Runs(if self.remove {
            native_schedule::remove(control, plan, rng).await?
        } else {
            native_schedule::push(control, plan, rng).await?
        }))
    }

    async fn start_there(&self, plan: &Self::Plan, server: &Server) -> Result<Started, Error> {
        if plan.is_empty() {
            return Ok(Started::Runs(AddedRuns::default()));
        }
        server.change_schedules(&server.selection(&self.apps).await?, self.remove, plan.len()).await
    }
}

fn show(title: &'static str, plan: &[AppSchedule], context: &Context) {
    let mut table = Table::new(["APP", title]);
    for AppSchedule { app, schedule } in plan {
        table.row([app.id.short_name().into(), text(schedule).into()]);
    }
    context.out.message_table(table);
}
