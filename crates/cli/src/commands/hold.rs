//! `holdfast hold`: adds, removes and lists holds.

use holdfast_client::{Listed, Server};
use holdfast_control::holds::{self, ChangedHold, HoldRequest};
use holdfast_control::{Error, ErrorKind};
use holdfast_model::{AppId, BackupId, CatalogEntry, Timestamp};
use holdfast_store::Mode;
use serde::Serialize;
use serde_json::json;

use crate::args::{AppsArgs, HoldCommand};
use crate::commands::hold_many;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, age, bytes};
use crate::place::Request;
use crate::runtime::backends::Backends;

/// One held backup, as a document.
#[derive(Debug, Serialize)]
struct Held<'a> {
    app: &'a AppId,
    backup_id: i64,
    blob: &'a str,
    accepted_at: Timestamp,
    size_bytes: i64,
    reason: &'a str,
}

/// Runs the command.
pub async fn run(command: &HoldCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        HoldCommand::Add(args) => match args.many()? {
            Some(request) => hold_many::change(&request, &args.options, context).await,
            None => change(&args.apps, (args.which.backup, true), &args.options.reason, context).await,
        },
        HoldCommand::Remove(args) => match args.many()? {
            Some(request) => hold_many::change(&request, &args.options, context).await,
            None => change(&args.apps, (args.backup, false), &args.options.reason, context).await,
        },
        HoldCommand::List { app } => list(app.as_deref(), context).await,
    }
}

async fn change(
    apps: &AppsArgs,
    (backup, held): (Option<BackupId>, bool),
    reason: &str,
    context: &Context,
) -> anyhow::Result<Exit> {
    let ([app], Some(backup)) = (apps.apps.as_slice(), backup) else {
        return Err(
            Error::new(ErrorKind::Invalid, "a backup is of one app, and one of them is missing").into()
        );
    };
    let (app, reason, actor) = (app.clone(), reason.to_owned(), context.actor());
    let changed = context.ask(&HoldRequest { app, backup, reason, held, actor }).await?;
    if let Some(run) = changed.deletion_started {
        context.out.message(&format!(
            "warning: run {run} had started to delete this backup before, and Azure may still delete it"
        ));
    }
    let (app, name) = (&changed.app, changed.app.short_name());
    let what = if held { "is held" } else { "is no longer held" };
    context.out.show(&json!({ "app": app, "backup_id": backup, "held": held }), || {
        format!("backup {backup} of {name} {what}").into()
    })?;
    Ok(Exit::Done)
}

impl Request for HoldRequest {
    type Answer = ChangedHold;

    async fn here(&self, context: &Context) -> anyhow::Result<ChangedHold> {
        let backends = Backends::open_beside(context).await?;
        let changed = holds::change(&*backends.store, self, &mut context.rng()).await?;
        backends.store.close().await;
        Ok(changed)
    }

    async fn there(&self, server: &Server) -> Result<ChangedHold, Error> {
        server.hold((&self.app, self.backup), &self.reason, self.held).await
    }
}

async fn list(app: Option<&str>, context: &Context) -> anyhow::Result<Exit> {
    let Listed { as_of: now, value: entries } = context.ask(&HeldBackups { app }).await?;
    let held: Vec<Held<'_>> = entries.iter().map(held).collect();
    context.out.show(&held, || {
        if held.is_empty() { "no backup is held".into() } else { table(&held, now).into() }
    })?;
    Ok(Exit::Done)
}

/// The held backups, of an app or of all.
struct HeldBackups<'a> {
    app: Option<&'a str>,
}

impl Request for HeldBackups<'_> {
    type Answer = Listed<CatalogEntry>;

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        let store = context.store(Mode::Read).await?;
        let (as_of, value) = (store.now().await?, holds::list(&*store, self.app).await?);
        store.close().await;
        Ok(Listed { as_of, value })
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        server.holds(self.app).await
    }
}

fn table(held: &[Held<'_>], now: Timestamp) -> Table {
    let mut table = Table::new(["APP", "BACKUP", "BLOB", "CREATED", "SIZE", "REASON"]);
    for held in held {
        table.row([
            held.app.short_name().into(),
            held.backup_id.to_string().into(),
            held.blob.into(),
            age(held.accepted_at, now).into(),
            bytes(held.size_bytes).into(),
            held.reason.into(),
        ]);
    }
    table
}

fn held(entry: &CatalogEntry) -> Held<'_> {
    let CatalogEntry { app, backup, hold, .. } = entry;
    Held {
        app,
        backup_id: backup.id.0,
        blob: &backup.blob,
        accepted_at: backup.accepted_at,
        size_bytes: backup.size_bytes,
        reason: hold.as_deref().unwrap_or_default(),
    }
}
