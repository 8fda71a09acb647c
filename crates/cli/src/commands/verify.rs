//! `holdfast verify`: checks that the backups of the catalog still exist and are whole.

use std::collections::BTreeSet;

use holdfast_client::Server;
use holdfast_control::selector::Selector;
use holdfast_control::verify::{VerifyReport, VerifyResult, catalog_by_app, verify};
use holdfast_control::{AppSelection, Error, counted};

use crate::args::AppsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::place::Request;
use crate::runtime::backends::Backends;

/// The most lines that say what to do next.
const NEXT_MAX: usize = 5;

/// Runs the command.
pub async fn run(args: &AppsArgs, context: &Context) -> anyhow::Result<Exit> {
    let report = context.ask(args).await?;
    show(&report, context)?;
    Ok(if report.lost + report.unchecked == 0 { Exit::Done } else { Exit::Failed })
}

impl Request for AppsArgs {
    type Answer = VerifyReport;

    async fn here(&self, context: &Context) -> anyhow::Result<VerifyReport> {
        let (fleet, backends) = Backends::open_with_fleet(context).await?;
        let store = &*backends.store;
        let selection = Selector::from(self).selection(store).await?;
        let (names, all) = match selection {
            AppSelection::All => (Vec::new(), true),
            AppSelection::Named(names) => (names, false),
        };
        let apps = catalog_by_app(store, &names, all).await?;
        let control = context.control(&fleet, &backends.store).await?;
        let bar = context.out.progress(apps.len(), "verifying {bar:40} {pos}/{len} apps [{elapsed}]");
        let report = verify(&control, apps, &mut context.rng(), || bar.inc(1)).await?;
        bar.finish_and_clear();
        store.close().await;
        Ok(report)
    }

    async fn there(&self, server: &Server) -> Result<VerifyReport, Error> {
        server.verify(&server.selection(&self.into()).await?).await
    }
}

fn show(report: &VerifyReport, context: &Context) -> anyhow::Result<()> {
    if context.out.is_document() {
        return Ok(context.out.document(report)?);
    }
    let mut table = Table::new(["APP", "BACKUP", "BLOB", "RESULT", "DETAIL"]);
    for backup in &report.backups {
        let (result, detail) = match &backup.result {
            VerifyResult::Verified { .. } => continue,
            VerifyResult::Lost { detail } => (Cell::toned("lost", Tone::Bad), detail),
            VerifyResult::Unchecked { detail } => (Cell::toned("could not be checked", Tone::Warn), detail),
        };
        let (name, id) = (backup.app.short_name(), backup.backup_id.to_string());
        table.row([name.into(), id.into(), backup.blob.as_str().into(), result, detail.as_str().into()]);
    }
    let VerifyReport { apps, verified, lost, unchecked, without_storage, lost_before, backups } = report;
    if lost + unchecked > 0 {
        context.out.table(table)?;
        let next: BTreeSet<&str> = backups.iter().filter_map(|backup| backup.next.as_deref()).collect();
        for next in next.iter().take(NEXT_MAX) {
            context.out.text(&format!("to do: {next}"))?;
        }
        if next.len() > NEXT_MAX {
            context
                .out
                .text(&format!("to do: the same for {}", counted(next.len() - NEXT_MAX, "further app")))?;
        }
    }
    let without_storage = match without_storage {
        0 => String::new(),
        count => format!("; {count} only in Azure's list, because their storage is out of reach"),
    };
    let before = match lost_before {
        0 => String::new(),
        count => format!("; {count} found lost in the last week: see `holdfast backups list`"),
    };
    Ok(context.out.text(&format!(
        "{} of {}: {verified} verified, {lost} lost, {unchecked} could not be checked{without_storage}{before}",
        counted(backups.len(), "backup"),
        counted(*apps, "app"),
    ))?)
}
