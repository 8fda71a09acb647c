//! `holdfast history`: an app's runs.

use holdfast_model::{AppId, Timestamp};
use holdfast_store::{Mode, RunFilter};
use serde::Serialize;

use super::{RunView, state_cell};
use crate::args::HistoryArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, age, bytes};

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    now: Timestamp,
    app: AppId,
    runs: Vec<RunView>,
}

/// Runs the command.
pub async fn run(args: &HistoryArgs, context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let app = context.app_in(&*store, &args.app).await?;
    let filter =
        RunFilter { app: Some(app.clone()), kind: args.kind, most: args.limit, ..RunFilter::default() };
    let runs = store.runs(&filter).await?.iter().map(RunView::from).collect();
    let document = Document { now: store.now().await?, app, runs };
    store.close().await;
    if context.out.is_json() {
        context.out.json(&document)?;
    } else if document.runs.is_empty() {
        let kind = args.kind.map(|kind| format!(" of the kind {kind}")).unwrap_or_default();
        context.out.text(&format!("{} has no runs{kind} yet", document.app.short_name()))?;
    } else {
        context.out.table(table(&document))?;
    }
    Ok(Exit::Done)
}

fn table(document: &Document) -> Table {
    let mut table = Table::new(["BEGAN", "WHAT", "OUTCOME", "SIZE", "BACKUP", "RUN"]);
    for run in &document.runs {
        let size = run.backup.as_ref().map_or_else(|| "-".to_owned(), |backup| bytes(backup.size_bytes));
        let backup = run.backup.as_ref().map_or("-", |backup| backup.blob.as_str());
        let began = age(run.created_at, document.now);
        let id = run.id.to_string();
        let what = run.what.as_str();
        table.row([began.into(), what.into(), state_cell(run), size.into(), backup.into(), id.into()]);
    }
    table
}
