//! `holdfast audit checkpoint`: signs a checkpoint now.

use holdfast_client::Server;
use holdfast_config::Secrets;
use holdfast_control::Error;
use holdfast_control::audit::{CheckpointReport, Continuity, no_checkpoints};
use holdfast_runtime::checkpoints::checkpointer;
use holdfast_store::Mode;

use crate::args::CheckpointArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::place::Request;
use crate::runtime::checkpoints::to_stdout;

/// Writes a checkpoint to every destination of the fleet file. Exits with [`Exit::Failed`] where one did not receive it.
pub async fn run(args: &CheckpointArgs, context: &Context) -> anyhow::Result<Exit> {
    let report = context.ask(args).await?;
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

impl Request for CheckpointArgs {
    type Answer = CheckpointReport;

    async fn here(&self, context: &Context) -> anyhow::Result<CheckpointReport> {
        let fleet = context.fleet_with(Secrets::Leave)?;
        let store = context.store(Mode::Join).await?;
        let checkpointer =
            checkpointer(&fleet, &store, &context.clock, to_stdout)?.ok_or_else(no_checkpoints)?;
        let (actor, mut rng) = (context.actor(), context.rng());
        let report = checkpointer.write_for(actor, self.continuity(), &mut rng).await?;
        store.close().await;
        Ok(report)
    }

    async fn there(&self, server: &Server) -> Result<CheckpointReport, Error> {
        server.sign_checkpoint(self.continuity()).await
    }
}

impl CheckpointArgs {
    fn continuity(&self) -> Continuity {
        if self.after_restore { Continuity::AfterRestore } else { Continuity::Required }
    }
}

fn written(report: &CheckpointReport) -> Option<String> {
    let seq = report.seq.filter(|_| !report.written.is_empty())?;
    Some(format!("a checkpoint of event {seq} was written to {}", report.written.join(", ")))
}
