//! `holdfast backups`: lists, shows, deletes and adopts backups.

mod adopt;
mod delete;
mod list;
mod problems;
mod show;

use crate::args::BackupsCommand;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(command: &BackupsCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        BackupsCommand::List(args) => list::run(args, context).await,
        BackupsCommand::Show(args) => show::run(args, context).await,
        BackupsCommand::Delete(args) => delete::run(args, context).await,
        BackupsCommand::Adopt(args) => adopt::run(args, context).await,
    }
}
