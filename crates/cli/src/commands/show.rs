//! `holdfast runs show`: a run and its events.

use holdfast_client::Server;
use holdfast_control::Error;
use holdfast_control::runs::{RunView, RunWithEvents, actor, describe_backup, detail, find};
use holdfast_model::{RunId, format_timestamp};
use holdfast_store::{AuditEvent, Mode};

use crate::commands::outcome::state_cell;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::place::Request;

/// Runs the command.
pub async fn run(id: RunId, context: &Context) -> anyhow::Result<Exit> {
    let found = context.ask(&id).await?;
    context.out.show(&found, || facts(&found.run, actor(&found.events)).into())?;
    if !context.out.is_document() {
        context.out.text("")?;
        context.out.table(events(&found.events))?;
    }
    Ok(Exit::Done)
}

/// The id of a run asks for the run and its events.
impl Request for RunId {
    type Answer = RunWithEvents;

    async fn here(&self, context: &Context) -> anyhow::Result<RunWithEvents> {
        let store = context.store(Mode::Read).await?;
        let found = find(&*store, *self).await?;
        store.close().await;
        Ok(found)
    }

    async fn there(&self, server: &Server) -> Result<RunWithEvents, Error> {
        server.run(*self).await
    }
}

fn facts(run: &RunView, actor: Option<String>) -> Table {
    let policy = run.policy.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let mut table = Table::of_facts(
        "RUN",
        [
            ("id", Some(run.id.to_string())),
            ("what", Some(run.what.clone())),
            ("app", Some(run.app.to_string())),
            ("policy", Some(policy)),
            ("actor", actor),
            ("tick", run.tick.map(format_timestamp)),
            ("backup", run.backup.as_ref().map(describe_backup)),
        ],
    );
    table.row(["state".into(), state_cell(run)]);
    table
}

fn events(events: &[AuditEvent]) -> Table {
    let mut table = Table::new(["AT", "EVENT", "DETAIL"]);
    for event in events {
        let at = format_timestamp(event.at);
        table.row([at.into(), event.event.name().into(), detail(event).into()]);
    }
    table
}
