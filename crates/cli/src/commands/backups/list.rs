//! `holdfast backups list`: an app's backups, from Azure and from the catalog.

use holdfast_model::{AppId, PolicyName, Timestamp};
use holdfast_store::Mode;
use serde::Serialize;

use super::row::{Row, table};
use super::tell_doubt;
use crate::args::ListArgs;
use crate::context::Context;
use crate::exit::Exit;
use holdfast_control::Inventory;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    now: Timestamp,
    app: &'a AppId,
    policy: Option<&'a PolicyName>,
    backups: &'a [Row],
}

/// Runs the command.
pub async fn run(args: &ListArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let store = context.store(Mode::Read).await?;
    let control = context.control(&fleet, &*store).await?;
    let mut inventory = Inventory::of(&args.app, &control).await?;
    store.close().await;
    if !args.removal {
        // What was not known to be gone is news, and is told without being asked for.
        inventory.items.retain(|item| {
            item.azure.is_some() || item.entry.as_ref().is_some_and(|entry| entry.removal.is_none())
        });
    }
    tell_doubt(&inventory, context);
    let rows: Vec<Row> = inventory.items.iter().map(Row::of).collect();
    if context.out.is_json() {
        let app = &inventory.app;
        let policy = app.policy.as_ref();
        context.out.json(&Document { now: inventory.now, app: &app.id, policy, backups: &rows })?;
    } else if rows.is_empty() {
        context.out.text(&format!("{} has no backups", inventory.app.id.short_name()))?;
    } else {
        context.out.table(table(&inventory, &rows))?;
    }
    Ok(Exit::Done)
}
