//! `holdfast backups`: the backups that are kept.

mod adopt;
mod delete;
mod list;
mod row;
mod show;

use crate::args::BackupsCommand;
use crate::context::Context;
use crate::exit::Exit;
use holdfast_control::Inventory;

/// Runs the command.
pub async fn run(command: &BackupsCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        BackupsCommand::List(args) => list::run(args, context).await,
        BackupsCommand::Show(args) => show::run(args, context).await,
        BackupsCommand::Delete(args) => delete::run(args, context).await,
        BackupsCommand::Adopt(args) => adopt::run(args, context).await,
    }
}

/// Says when only one of Azure's two lists could be had.
fn tell_doubt(inventory: &Inventory, context: &Context) {
    if let Some(error) = &inventory.doubt {
        context.out.message(&format!("what is missing could not be looked for a second time: {error}"));
    }
}
