//! `holdfast backups show`: everything that is known of one backup, and on request its secret.

use anyhow::Context as _;
use holdfast_model::{NewRun, OperatorAction, PolicySnapshot, RunId, StorageName};
use holdfast_store::Mode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::row::{Row, facts};
use super::tell_doubt;
use crate::args::ShowArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;
use holdfast_control::ControlContext;
use holdfast_control::inventory::{Inventory, Item};
use holdfast_control::{Error, ErrorKind};

/// The document for programs.
#[derive(Serialize)]
struct Document<'a> {
    app: &'a holdfast_model::AppId,
    #[serde(flatten)]
    row: Row,
    /// A secret, and there only with `--reveal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_url: Option<&'a str>,
}

/// Runs the command.
pub async fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    // Whoever reveals writes that down, so the store must be one that can be written.
    let (store, _lock) = if args.reveal {
        let Backends { store, lock, .. } = Backends::open_beside(context).await?;
        (store, lock)
    } else {
        (context.store(Mode::Read).await?, None)
    };
    let control = context.control(&fleet, &*store).await?;
    let inventory = Inventory::of(&args.app, &control).await?;
    tell_doubt(&inventory, context);
    let Some(item) = inventory.find(args.id) else {
        let name = inventory.app.id.short_name();
        let failure = Error::new(ErrorKind::Invalid, format!("nobody knows a backup {} of {name}", args.id));
        return Err(failure.help(format!("`holdfast backups list {name}` lists them")).into());
    };
    let secret = if args.reveal { Some(reveal(&inventory, item, &control, context).await?) } else { None };
    store.close().await;
    show(&inventory, item, secret.as_ref(), context)?;
    Ok(Exit::Done)
}

fn show(
    inventory: &Inventory,
    item: &Item,
    secret: Option<&SecretString>,
    context: &Context,
) -> anyhow::Result<()> {
    let (row, url) = (Row::of(item), secret.map(SecretString::expose_secret));
    if url.is_some() {
        context
            .out
            .message("the URL holds a secret: whoever has it can read and write the backups' container");
    }
    if context.out.is_json() {
        return Ok(context.out.json(&Document { app: &inventory.app.id, row, storage_url: url })?);
    }
    context.out.table(facts(&row, inventory.now))?;
    if let Some(url) = url {
        context.out.text(&format!("\n{url}"))?;
    }
    Ok(())
}

/// The URL with the SAS that Azure keeps with the backup. That somebody asked is in the audit before Azure is.
async fn reveal(
    inventory: &Inventory,
    item: &Item,
    control: &ControlContext<'_>,
    context: &Context,
) -> anyhow::Result<SecretString> {
    let (app, id) = (&inventory.app, item.id);
    let storage = item.entry.as_ref().map(|entry| entry.storage.clone());
    // Nothing is sent for a note: of its policy snapshot only the place of the backup says something.
    let policy_snapshot = PolicySnapshot::new(storage.unwrap_or_else(|| StorageName::new("unknown")), "");
    let run = RunId::new(inventory.now, &mut context.rng());
    let note = NewRun::operator_action(
        run,
        app,
        &policy_snapshot,
        OperatorAction::Revealed { backup: id },
        context.actor(),
        inventory.now,
    );
    control
        .store
        .add_run(&note)
        .await
        .context("nothing is shown, because it could not be written down who asked")?;
    let secrets = control.arm.backup_secrets(&app.id, id, None).await?;
    let nothing = || Error::new(ErrorKind::Refused, format!("azure's answer about backup {id} holds no SAS"));
    Ok(secrets.storage_url.ok_or_else(nothing)?)
}
