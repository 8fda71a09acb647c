//! `holdfast hold`: backups that nobody deletes.

use holdfast_model::{AppId, CatalogEntry, OperatorAction, Run, RunId, RunKind, Timestamp};
use holdfast_store::{CatalogFilter, Mode, RunFilter, Store};
use serde::Serialize;
use serde_json::json;

use crate::args::{HoldArgs, HoldCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, age, bytes};
use crate::runtime::backends::Backends;
use holdfast_control::operator_actions;
use holdfast_control::{Error, ErrorKind};

/// One held backup, for programs.
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
        HoldCommand::Add(args) => change(args, true, context).await,
        HoldCommand::Remove(args) => change(args, false, context).await,
        HoldCommand::List { app } => list(app.as_deref(), context).await,
    }
}

async fn change(args: &HoldArgs, hold: bool, context: &Context) -> anyhow::Result<Exit> {
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let entry = entry(store, args, context).await?;
    let (name, id) = (entry.app.short_name(), args.backup);
    can_change(&entry, hold)?;
    let (backup, reason) = (id, args.reason.clone());
    let note = if hold {
        OperatorAction::Held { backup, reason }
    } else {
        OperatorAction::Released { backup, reason }
    };
    let now = store.now().await?;
    store.add_run(&operator_actions::about(&entry, (note, context.actor()), now, &mut context.rng())).await?;
    let too_late = if hold { deletion_begun(store, &entry).await? } else { None };
    store.close().await;
    if let Some(run) = too_late {
        context.out.message(&format!(
            "warning: its deletion had begun before, in run {run}, and Azure may carry it out all the same"
        ));
    }
    if context.out.is_json() {
        context.out.json(&json!({ "app": entry.app, "backup_id": id, "held": hold }))?;
    } else {
        let what = if hold { "is held" } else { "is no longer held" };
        context.out.text(&format!("backup {id} of {name} {what}"))?;
    }
    Ok(Exit::Done)
}

/// A second hold would take the first one's reason away, and whoever ends it would end both.
fn can_change(entry: &CatalogEntry, hold: bool) -> Result<(), Error> {
    let (name, id) = (entry.app.short_name(), entry.backup.id);
    let (what, help) = match (hold, &entry.hold) {
        (true, Some(reason)) => (
            format!("backup {id} of {name} is held already: {reason}"),
            format!(
                "`holdfast hold remove {name} --backup {id} --reason TEXT` first, to hold it for another reason"
            ),
        ),
        (false, None) => (
            format!("backup {id} of {name} is not held"),
            format!("`holdfast hold list {name}` shows what is"),
        ),
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Invalid, what).help(help))
}

/// The run that may have asked Azure to delete the backup already.
async fn deletion_begun(store: &dyn Store, entry: &CatalogEntry) -> anyhow::Result<Option<RunId>> {
    let (app, kind) = (Some(entry.app.clone()), Some(RunKind::Delete));
    let runs = store.runs(&RunFilter { app, kind, unfinished: true, ..RunFilter::default() }).await?;
    let begun = |run: &Run| {
        run.state.attempt().is_some()
            && run.task.backup(&run.app).is_some_and(|(_, id)| id == entry.backup.id)
    };
    Ok(runs.iter().find(|run| begun(run)).map(|run| run.id))
}

/// The catalog's entry that the command line names.
async fn entry(store: &dyn Store, args: &HoldArgs, context: &Context) -> anyhow::Result<CatalogEntry> {
    let app = context.app_in(store, &args.app).await?;
    let filter = CatalogFilter { app: Some(app.clone()), with_removed: true, ..CatalogFilter::default() };
    let found = store.catalog(&filter).await?.into_iter().find(|entry| entry.backup.id == args.backup);
    let (name, id) = (app.short_name(), args.backup);
    let failure = |what: String| Error::new(ErrorKind::Invalid, what);
    match found {
        Some(entry) if entry.removal.is_none() => Ok(entry),
        Some(_) => Err(failure(format!("backup {id} of {name} is no longer there")).into()),
        None => Err(failure(format!("the catalog knows no backup {id} of {name}"))
            .help(format!(
                "`holdfast backups list {name}` shows what there is; `holdfast backups adopt` takes in what somebody else took"
            ))
            .into()),
    }
}

async fn list(app: Option<&str>, context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let app = match app {
        Some(name) => Some(context.app_in(&*store, name).await?),
        None => None,
    };
    let (now, filter) = (store.now().await?, CatalogFilter { app, ..CatalogFilter::default() });
    let entries = store.catalog(&filter).await?;
    store.close().await;
    let held: Vec<Held<'_>> = entries.iter().filter_map(held).collect();
    if context.out.is_json() {
        context.out.json(&held)?;
    } else if held.is_empty() {
        context.out.text("no backup is held")?;
    } else {
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
        context.out.table(table)?;
    }
    Ok(Exit::Done)
}

fn held(entry: &CatalogEntry) -> Option<Held<'_>> {
    let CatalogEntry { app, backup, hold, .. } = entry;
    Some(Held {
        app,
        backup_id: backup.id.0,
        blob: &backup.blob,
        accepted_at: backup.accepted_at,
        size_bytes: backup.size_bytes,
        reason: hold.as_deref()?,
    })
}
