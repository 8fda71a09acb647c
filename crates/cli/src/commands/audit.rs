//! `holdfast audit`: verifies the audit, exports it, and signs checkpoints of it.

mod checkpoint;
mod checkpoint_source;
mod keygen;
mod verify;

use std::io::Write as _;

use anyhow::Context as _;
use holdfast_control::counted;
use holdfast_store::Mode;

use crate::args::{AuditCommand, ExportArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Runs the command.
pub async fn run(command: &AuditCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        AuditCommand::Verify(args) => verify::run(args, context).await,
        AuditCommand::Export(args) => export(args, context).await,
        AuditCommand::Checkpoint(args) => checkpoint::run(args, context).await,
        AuditCommand::Keygen(args) => keygen::run(args, context),
    }
}

/// Writes every event as a line of JSON.
async fn export(args: &ExportArgs, context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let Some(path) = &args.to else {
        holdfast_control::audit::export(&*store, |line| {
            output::write_line(line).map_err(anyhow::Error::from)
        })
        .await?;
        store.close().await;
        return Ok(Exit::Done);
    };
    let failed = || format!("failed to write {}", path.display());
    let mut file = std::io::BufWriter::new(std::fs::File::create_new(path).with_context(failed)?);
    let count =
        holdfast_control::audit::export(&*store, |line| writeln!(file, "{line}").with_context(failed))
            .await?;
    file.into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .with_context(failed)?;
    store.close().await;
    context.out.message(&format!("wrote {} to {}", counted(count, "event"), path.display()));
    Ok(Exit::Done)
}
