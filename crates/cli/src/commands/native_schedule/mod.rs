//! `holdfast native-schedule`: the schedules that Azure runs by itself.

mod change;
mod drift;
mod show;
mod text;

use crate::args::NativeScheduleCommand;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(command: &NativeScheduleCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        NativeScheduleCommand::Push(args) => change::push(args, context).await,
        NativeScheduleCommand::Show(args) => show::run(args, context).await,
        NativeScheduleCommand::Drift(args) => drift::run(args, context).await,
        NativeScheduleCommand::Remove(args) => change::remove(args, context).await,
    }
}
