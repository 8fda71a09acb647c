//! `holdfast sas`: the SAS that backups are written with, and those that Azure keeps with backups.

use holdfast_client::{Listed, Server, Started};
use holdfast_config::Secrets;
use holdfast_control::sas::{self, CheckedStorage};
use holdfast_control::{ControlContext, Error, add_runs};
use holdfast_model::{StorageName, Timestamp};
use serde::Serialize;

use crate::args::{SasCheckArgs, SasCommand, SasRefreshArgs};
use crate::commands::added;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age};
use crate::place::Request;
use crate::submitter::{StartsRuns, Unplanned};
use holdfast_runtime::fleet_parts::storages;

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
    let Listed { as_of: now, value: storages } = context.ask(args).await?;
    let all_good = storages.iter().all(|storage| storage.good);
    if context.out.is_document() {
        context.out.document(&Document { now, storages })?;
    } else {
        show(&storages, now, context)?;
    }
    Ok(if all_good { Exit::Done } else { Exit::Failed })
}

impl Request for SasCheckArgs {
    type Answer = Listed<CheckedStorage>;

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        // An unusable SAS is a result here, and not an error of the fleet file.
        let fleet = context.fleet_with(Secrets::Leave)?;
        let storage = storages(&fleet, &context.clock, context.rng())?;
        let as_of = context.clock.now();
        let value = sas::check(&fleet, &*storage, &self.names(), as_of).await?;
        Ok(Listed { as_of, value })
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        server.storages(&self.names()).await
    }
}

impl SasCheckArgs {
    fn names(&self) -> Vec<StorageName> {
        self.storages.iter().map(StorageName::new).collect()
    }
}

async fn refresh(args: &SasRefreshArgs, context: &Context) -> anyhow::Result<Exit> {
    added::start(context.submitter().await?, (&Unplanned(args), &()), args.wait, context).await
}

impl StartsRuns for SasRefreshArgs {
    async fn start_here(
        &self,
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started> {
        let runs = sas::refresh(control, &self.app, self.backup, rng).await?;
        Ok(Started::Runs(add_runs(control.store, &runs).await?))
    }

    async fn start_there(&self, server: &Server) -> Result<Started, Error> {
        server.refresh_sas(&self.app, self.backup).await
    }
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
