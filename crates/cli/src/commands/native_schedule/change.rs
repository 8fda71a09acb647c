//! `holdfast native-schedule push` and `remove`: set or remove Azure's own schedules.

use holdfast_control::counted;
use holdfast_control::native_schedule::{self, AppSchedule};
use holdfast_control::selector::Selector;

use super::text::text;
use crate::args::ChangeArgs;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::runtime::backends::Backends;

/// Runs `holdfast native-schedule push`.
pub async fn push(args: &ChangeArgs, context: &Context) -> anyhow::Result<Exit> {
    let (fleet, backends) = Backends::open_with_fleet(context).await?;
    let control = context.control(&fleet, &backends.store).await?;
    let plan =
        native_schedule::plan_push(&control, &Selector::from(&args.apps).selection(&*backends.store).await?)
            .await?;
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
    let mut rng = context.rng();
    let added = native_schedule::push(&control, &plan, &mut rng).await?;
    added::follow(&added, (fleet.clone(), backends), args.options.wait, context, rng).await
}

/// Runs `holdfast native-schedule remove`.
pub async fn remove(args: &ChangeArgs, context: &Context) -> anyhow::Result<Exit> {
    let (fleet, backends) = Backends::open_with_fleet(context).await?;
    let control = context.control(&fleet, &backends.store).await?;
    let plan = native_schedule::plan_removal(
        &control,
        &Selector::from(&args.apps).selection(&*backends.store).await?,
    )
    .await?;
    let wait = args.options.wait && !plan.is_empty();
    if plan.is_empty() {
        context.out.message("nothing to remove: Azure has no schedule of its own for these apps");
    } else {
        show("TO REMOVE", &plan, context);
        let apps = counted(plan.len(), "app");
        confirm::agreed(&format!("Remove Azure's own schedule of {apps}?"), args.options.yes, context)?;
    }
    let mut rng = context.rng();
    let added = native_schedule::remove(&control, &plan, &mut rng).await?;
    added::follow(&added, (fleet.clone(), backends), wait, context, rng).await
}

fn show(title: &'static str, plan: &[AppSchedule], context: &Context) {
    let mut table = Table::new(["APP", title]);
    for AppSchedule { app, schedule } in plan {
        table.row([app.id.short_name().into(), text(schedule).into()]);
    }
    context.out.message_table(table);
}
