//! `holdfast history`: an app's runs.

use holdfast_client::Server;
use holdfast_control::Error;
use holdfast_control::runs::{HistoryRequest, RunHistory, history};
use holdfast_model::BackupFacts;
use holdfast_store::Mode;

use crate::args::HistoryArgs;
use crate::commands::outcome::state_cell;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, age, bytes};
use crate::place::Request;

/// Runs the command.
pub async fn run(args: &HistoryArgs, context: &Context) -> anyhow::Result<Exit> {
    let HistoryArgs { app, limit, kind } = args.clone();
    let history = context.ask(&HistoryRequest { app, kind, limit }).await?;
    context.out.show(&history, || {
        if history.runs.is_empty() {
            let kind = kind.map(|kind| format!(" of the kind {kind}")).unwrap_or_default();
            return format!("{} has no runs{kind} yet", history.app.short_name()).into();
        }
        table(&history).into()
    })?;
    Ok(Exit::Done)
}

impl Request for HistoryRequest {
    type Answer = RunHistory;

    async fn here(&self, context: &Context) -> anyhow::Result<RunHistory> {
        let store = context.store(Mode::Read).await?;
        let history = history(&*store, self).await?;
        store.close().await;
        Ok(history)
    }

    async fn there(&self, server: &Server) -> Result<RunHistory, Error> {
        server.history(self).await
    }
}

fn table(history: &RunHistory) -> Table {
    let mut table = Table::new(["CREATED", "WHAT", "OUTCOME", "SIZE", "BACKUP", "RUN"]);
    for run in &history.runs {
        let backup = run.backup.as_ref();
        table.row([
            age(run.created_at, history.now).into(),
            run.what.as_str().into(),
            state_cell(run),
            Cell::or_dash(backup.map(|BackupFacts { size_bytes, .. }| bytes(*size_bytes))),
            Cell::or_dash(backup.map(|backup| backup.blob.as_str())),
            run.id.to_string().into(),
        ]);
    }
    table
}
