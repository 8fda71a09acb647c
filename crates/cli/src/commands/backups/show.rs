//! `holdfast backups show`: one backup, and on request the SAS that Azure keeps with it.

use holdfast_client::{Server, ShownBackup};
use holdfast_control::inventory::{BackupView, Inventory};
use holdfast_control::{Error, reveal};
use holdfast_model::{AppId, Removal, Timestamp, format_timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::args::ShowArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, age, bytes};
use crate::place::Request;
use crate::runtime::backends::Backends;

/// The backup, as a document.
#[derive(Serialize)]
struct Document<'a> {
    app: &'a AppId,
    #[serde(flatten)]
    backup: BackupView,
    /// A secret, and there only with `--reveal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_url: Option<&'a str>,
}

/// Runs the command.
pub async fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<Exit> {
    let (ShownBackup { as_of, app, backup }, secret) = context.ask(args).await?;
    let url = secret.as_ref().map(SecretString::expose_secret);
    if url.is_some() {
        context.out.message("the URL is a secret: it gives read and write access to the backups' container");
    }
    let document = Document { app: &app, backup, storage_url: url };
    context.out.show(&document, || facts(&document.backup, as_of).into())?;
    if let Some(url) = url.filter(|_| !context.out.is_document()) {
        context.out.text(&format!("\n{url}"))?;
    }
    Ok(Exit::Done)
}

impl Request for ShowArgs {
    type Answer = (ShownBackup, Option<SecretString>);

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        // `--reveal` writes to the audit, so the store must be open for writing.
        let (store, _lock) = if self.reveal {
            let Backends { store, lock, .. } = Backends::open_beside(context).await?;
            (store, lock)
        } else {
            (context.store_for_calls().await?, None)
        };
        let fleet = context.fleet_in(&*store).await?;
        let control = context.control(&fleet, &store).await?;
        let inventory = Inventory::of(&self.app, &control).await?;
        let item = inventory.get(self.id)?;
        let mut rng = context.rng();
        let secret =
            if self.reveal { Some(reveal(&control, &inventory, item, &mut rng).await?) } else { None };
        store.close().await;
        let shown = ShownBackup { as_of: inventory.now, app: inventory.app.id.clone(), backup: item.into() };
        Ok((shown, secret))
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        let shown = server.backup(&self.app, self.id).await?;
        let secret = if self.reveal { Some(server.reveal(&self.app, self.id).await?) } else { None };
        Ok((shown, secret))
    }
}

fn facts(backup: &BackupView, now: Timestamp) -> Table {
    let databases: Vec<&str> = backup.databases.iter().map(|database| database.name.as_str()).collect();
    let databases = (!databases.is_empty()).then(|| databases.join(", "));
    let problem = backup.problem.as_ref();
    Table::of_facts(
        "BACKUP",
        [
            ("id", Some(backup.backup_id.to_string())),
            ("name", backup.name.clone()),
            ("blob", backup.blob.clone()),
            ("storage", backup.storage.as_ref().map(ToString::to_string)),
            ("status", backup.status.clone()),
            ("created", backup.created_at.map(format_timestamp)),
            ("finished", backup.finished_at.map(format_timestamp)),
            ("size", backup.size_bytes.map(bytes)),
            ("databases", databases),
            ("made by", Some(backup.made_by.as_str().to_owned())),
            ("run", backup.run_id.map(|run| run.to_string())),
            ("presence", Some(backup.presence.as_str().to_owned())),
            ("hold", backup.hold.clone()),
            ("sas", backup.sas.as_ref().map(|sas| sas.fingerprint.clone())),
            ("sas expires", backup.sas_expiry().map(format_timestamp)),
            ("verified", backup.verified_at.map(|at| age(at, now))),
            ("removal", backup.removal.map(removal)),
            ("retention", backup.retention.as_deref().map(str::to_owned)),
            ("log", backup.log.clone()),
            ("problem", problem.map(|problem| format!("{}: {}", problem.kind.as_str(), problem.detail))),
            ("to do", problem.map(|problem| problem.next.clone())),
        ],
    )
}

fn removal(removal: Removal) -> String {
    let what = if removal.deleted { "deleted" } else { "found missing" };
    format!("{what} at {}", format_timestamp(removal.at))
}
