//! `holdfast native-schedule`: the schedules that Azure runs by itself.

mod change;
mod drift;
mod show;

use holdfast_arm::{Arm, Error};
use holdfast_model::{App, AppId, NativeSchedule, SasFacts};
use holdfast_storage::{Container, Sas};
use holdfast_store::Store;

use crate::args::{AppsArgs, NativeScheduleCommand};
use crate::context::Context;
use crate::exit::Exit;
use holdfast_config::Fleet;
use holdfast_control::observed_backups::patiently;

/// Runs the command.
pub async fn run(command: &NativeScheduleCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        NativeScheduleCommand::Push(args) => change::push(args, context).await,
        NativeScheduleCommand::Show(args) => show::run(args, context).await,
        NativeScheduleCommand::Drift(args) => drift::run(args, context).await,
        NativeScheduleCommand::Remove(args) => change::remove(args, context).await,
    }
}

/// What Azure runs for an app, with the SAS that it keeps for it as far as that can be read.
struct Found {
    schedule: NativeSchedule,
    sas: Option<SasFacts>,
    /// The container it writes into, as far as that SAS tells.
    container: Option<Container>,
}

async fn found(arm: &dyn Arm, app: &AppId) -> Result<Option<Found>, Error> {
    let found = patiently(|| arm.schedule(app)).await?;
    Ok(found.map(|found| {
        let sas = found.storage_url.and_then(|url| Sas::parse(&url).ok());
        let container = sas.as_ref().and_then(|sas| sas.container().cloned());
        Found { schedule: found.schedule, sas: sas.map(|sas| sas.facts()), container }
    }))
}

/// The apps that were named, or all.
async fn apps(
    args: &AppsArgs,
    fleet: &Fleet,
    store: &dyn Store,
    context: &Context,
) -> anyhow::Result<Vec<App>> {
    if args.all {
        return Ok(context.all_apps(fleet, store).await?.into_values().collect());
    }
    context.apps(&args.apps, fleet, store).await
}
