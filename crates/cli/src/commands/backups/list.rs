//! `holdfast backups list`: an app's backups, from Azure and from the catalog.

use holdfast_client::{AppBackups, Server};
use holdfast_control::inventory::{BackupView, Presence, ProblemKind};
use holdfast_control::{Error, Inventory};
use holdfast_model::{AppId, DatabaseFacts, PolicyName, Removal, Timestamp};
use serde::Serialize;

use super::problems;
use crate::args::ListArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age, bytes, until};
use crate::place::Request;

/// The backups, as a document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    now: Timestamp,
    app: &'a AppId,
    policy: Option<&'a PolicyName>,
    backups: Vec<BackupView>,
}

/// Runs the command.
pub async fn run(args: &ListArgs, context: &Context) -> anyhow::Result<Exit> {
    let AppBackups { as_of: now, app, policy, value: backups } = context.ask(args).await?;
    let document = Document { now, app: &app, policy: policy.as_ref(), backups };
    context.out.show(&document, || {
        if document.backups.is_empty() {
            return format!("{} has no backups", app.short_name()).into();
        }
        table(&document).into()
    })?;
    if !context.out.is_document() {
        problems::of(&document.backups).iter().try_for_each(|problem| context.out.text(problem))?;
    }
    Ok(Exit::Done)
}

impl Request for ListArgs {
    type Answer = AppBackups;

    async fn here(&self, context: &Context) -> anyhow::Result<AppBackups> {
        let store = context.store_for_calls().await?;
        let fleet = context.fleet_in(&*store).await?;
        let control = context.control(&fleet, &store).await?;
        let inventory = Inventory::of(&self.app, &control).await?;
        store.close().await;
        let inventory = if self.removed { inventory } else { inventory.without_removed() };
        let value = inventory.items.iter().map(BackupView::from).collect();
        let Inventory { app, now, .. } = inventory;
        Ok(AppBackups { as_of: now, app: app.id, policy: app.policy, value })
    }

    async fn there(&self, server: &Server) -> Result<AppBackups, Error> {
        server.inventory(&self.app, self.removed).await
    }
}

fn table(document: &Document<'_>) -> Table {
    let now = document.now;
    let mut table = Table::new([
        "BACKUP",
        "BLOB",
        "STATUS",
        "CREATED",
        "SIZE",
        "DATABASES",
        "MADE BY",
        "PRESENCE",
        "SAS",
        "HOLD",
        "RETENTION",
    ]);
    for backup in &document.backups {
        let status = match backup.removal {
            Some(Removal { deleted: true, .. }) => Some("deleted"),
            _ => backup.status.as_deref(),
        };
        table.row([
            backup.backup_id.to_string().into(),
            Cell::or_dash(backup.blob.as_deref().or(backup.name.as_deref())),
            Cell::or_dash(status),
            Cell::or_dash(backup.created_at.map(|at| age(at, now))),
            Cell::or_dash(backup.size_bytes.map(bytes)),
            Cell::or_dash(databases(&backup.databases)),
            backup.made_by.as_str().into(),
            presence_cell(backup),
            sas_cell(backup, now),
            Cell::or_dash(backup.hold.as_deref()),
            Cell::or_dash(backup.retention.as_deref()),
        ]);
    }
    table
}

/// Who knows the backup, or what is wrong with it.
fn presence_cell(backup: &BackupView) -> Cell {
    if let Some(problem) = &backup.problem {
        let tone = if problem.kind == ProblemKind::Unverified { Tone::Warn } else { Tone::Bad };
        return Cell::toned(problem.kind.as_str(), tone);
    }
    let tone = if backup.presence == Presence::Known { Tone::Plain } else { Tone::Warn };
    Cell::toned(backup.presence.as_str(), tone)
}

fn sas_cell(backup: &BackupView, now: Timestamp) -> Cell {
    match backup.sas_expiry().filter(|_| backup.removal.is_none()) {
        Some(expiry) if expiry <= now => Cell::toned(format!("expired {}", age(expiry, now)), Tone::Warn),
        expiry => Cell::or_dash(expiry.map(|expiry| until(expiry, now))),
    }
}

fn databases(databases: &[DatabaseFacts]) -> Option<String> {
    let names: Vec<&str> = databases.iter().map(|database| database.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
