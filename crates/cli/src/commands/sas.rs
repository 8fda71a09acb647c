//! `holdfast sas`: the SAS that backups are written with, and those that Azure keeps with backups.

use holdfast_config::Secrets;
use holdfast_control::sas::{self, CheckedStorage};
use holdfast_model::{StorageName, Timestamp};
use serde::Serialize;

use crate::args::{SasCheckArgs, SasCommand, SasRefreshArgs};
use crate::commands::added;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age};
use crate::runtime::backends::Backends;
use holdfast_runtime::engine::storages;

/// The document of `sas check` for programs.
#[derive(Debug, Serialize)]
struct Document {
    now: Timestamp,
    storages: Vec<CheckedStorage>,
}

/// Runs the command.
pub async fn run(command: &SasCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        SasCommand::Check(args) => check(args, context).await,
        SasCommand::Refresh(args) => refresh(args, context).await,
    }
}

async fn check(args: &SasCheckArgs, context: &Context) -> anyhow::Result<Exit> {
    // An unusable SAS is a result here, and not an error of the fleet file.
    let fleet = context.fleet_with(Secrets::Leave)?;
    let storage = storages(&fleet, &context.clock, context.rng())?;
    let names: Vec<StorageName> = args.storages.iter().map(StorageName::new).collect();
    let now = context.clock.now();
    let storages = sas::check(&fleet, &*storage, &names, now).await?;
    let all_good = storages.iter().all(|storage| storage.good);
    if context.out.is_document() {
        context.out.document(&Document { now, storages })?;
    } else {
        show(&storages, now, context)?;
    }
    Ok(if all_good { Exit::Done } else { Exit::Failed })
}

async fn refresh(args: &SasRefreshArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let control = context.control(&fleet, &backends.store).await?;
    let mut rng = context.rng();
    let runs = sas::refresh(&control, &args.app, args.backup, &mut rng).await?;
    drop(control);
    added::runs(&runs, (fleet, backends), args.wait, context, rng).await
}

fn show(storages: &[CheckedStorage], now: Timestamp, context: &Context) -> std::io::Result<()> {
    let mut table = Table::new(["STORAGE", "SAS", "ENDS", "FROM", "POLICIES", "USABLE"]);
    for storage in storages {
        let expiry = storage.sas.as_ref().and_then(|sas| sas.window.expiry);
        let usable = match (storage.good, storage.warnings.is_empty()) {
            (true, true) => Cell::toned("yes", Tone::Good),
            (true, false) => Cell::toned("yes, with a warning", Tone::Warn),
            (false, _) => Cell::toned(format!("no: {}", storage.faults.join("; ")), Tone::Bad),
        };
        table.row([
            storage.storage.as_str().into(),
            storage.sas.as_ref().map_or("-", |sas| sas.fingerprint.as_str()).into(),
            expiry.map_or_else(|| "-".to_owned(), |expiry| age(expiry, now)).into(),
            storage.origin.as_deref().unwrap_or("-").into(),
            storage.policies.to_string().into(),
            usable,
        ]);
    }
    context.out.table(table)?;
    for storage in storages {
        for warning in &storage.warnings {
            context.out.text(&format!("{}: warning: {warning}", storage.storage))?;
        }
    }
    Ok(())
}
