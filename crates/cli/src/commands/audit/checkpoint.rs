//! `holdfast audit checkpoint`: signs a checkpoint now.

use holdfast_config::Secrets;
use holdfast_control::audit::{CheckpointReport, Continuity};
use holdfast_control::{Error, ErrorKind};
use holdfast_store::Mode;

use crate::args::CheckpointArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::checkpoints::checkpointer;

/// Writes a checkpoint to every destination of the fleet file. Exits with [`Exit::Failed`] where one did not receive it.
pub async fn run(args: &CheckpointArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet_with(Secrets::Leave)?;
    let store = context.store(Mode::Join).await?;
    let Some(checkpointer) = checkpointer(&fleet, &store, &context.clock)? else {
        let error = Error::new(ErrorKind::Invalid, "the fleet file asks for no checkpoints");
        return Err(error.help("add `checkpoint` to its section [audit]: see docs/audit.md").into());
    };
    let continuity = if args.after_restore { Continuity::AfterRestore } else { Continuity::Required };
    let report = checkpointer.write_now(continuity).await?;
    store.close().await;
    if context.out.is_document() {
        context.out.document(&report)?;
    } else if let Some(text) = written(&report) {
        // The standard output may be a destination, whose lines are checkpoints alone.
        context.out.message(&text);
    }
    for failed in &report.failed {
        context.out.message(&format!("{}: {}", failed.destination, failed.error));
    }
    Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Failed })
}

fn written(report: &CheckpointReport) -> Option<String> {
    let seq = report.seq.filter(|_| !report.written.is_empty())?;
    Some(format!("a checkpoint of event {seq} was written to {}", report.written.join(", ")))
}
