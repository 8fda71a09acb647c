//! `holdfast sas`: the SAS that backups are written with, and those that Azure keeps with backups.

mod check;
mod refresh;

use crate::args::SasCommand;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(command: &SasCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        SasCommand::Check(args) => check::run(args, context).await,
        SasCommand::Refresh(args) => refresh::run(args, context).await,
    }
}
