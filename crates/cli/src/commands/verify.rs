//! `holdfast verify`: checks that the backups of the catalog still exist and are whole.

use holdfast_control::counted;
use holdfast_control::verify::{VerifyReport, VerifyResult, catalog_by_app, verify};

use crate::args::AppsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::runtime::backends::Backends;

/// Runs the command.
pub async fn run(args: &AppsArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let apps = catalog_by_app(store, &args.apps, args.all).await?;
    let control = context.control(&fleet, &backends.store).await?;
    let bar = context.out.progress(apps.len(), "verifying {bar:40} {pos}/{len} apps [{elapsed}]");
    let report = verify(&control, apps, &mut context.rng(), || bar.inc(1)).await?;
    bar.finish_and_clear();
    store.close().await;
    show(&report, context)?;
    Ok(if report.lost + report.unchecked == 0 { Exit::Done } else { Exit::Failed })
}

fn show(report: &VerifyReport, context: &Context) -> anyhow::Result<()> {
    if context.out.is_json() {
        return Ok(context.out.json(report)?);
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
    let VerifyReport { apps, verified, lost, unchecked, without_storage, backups } = report;
    if lost + unchecked > 0 {
        context.out.table(table)?;
    }
    let without_storage = match without_storage {
        0 => String::new(),
        count => format!("; {count} only in Azure's list, because their storage is out of reach"),
    };
    Ok(context.out.text(&format!(
        "{} of {}: {verified} verified, {lost} lost, {unchecked} could not be checked{without_storage}",
        counted(backups.len(), "backup"),
        counted(*apps, "app"),
    ))?)
}
