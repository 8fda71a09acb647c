//! `holdfast audit`: verifies the audit, exports it, and signs checkpoints of it.

mod checkpoint;
mod checkpoint_source;
mod export;
mod keygen;
mod verify;
mod verify_export;

use crate::args::AuditCommand;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(command: &AuditCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        AuditCommand::Verify(args) => verify::run(args, context).await,
        AuditCommand::Export(args) => export::run(args, context).await,
        AuditCommand::VerifyExport(args) => verify_export::run(args, context),
        AuditCommand::Checkpoint(args) => checkpoint::run(args, context).await,
        AuditCommand::Keygen(args) => keygen::run(args, context),
    }
}
