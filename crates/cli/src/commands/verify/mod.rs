//! `holdfast verify`: are the backups of the catalog still there, and whole?

mod app;
mod judge;

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_model::{AppId, CatalogEntry};
use holdfast_store::{CatalogFilter, Store};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::args::AppsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::runtime::backends::Backends;
use crate::runtime::engine::storages;
use app::{Checker, Finding};
use holdfast_control::counted;
use judge::VerifyResult;

/// Apps looked at at once.
const AT_ONCE: usize = 8;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    apps: usize,
    verified: usize,
    lost: usize,
    unchecked: usize,
    /// Of those verified, the ones whose storage is out of reach: Azure's word alone.
    without_storage: usize,
    backups: Vec<Finding>,
}

/// Runs the command.
pub async fn run(args: &AppsArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = Arc::clone(&backends.store);
    let apps = kept(args, &*store, context).await?;
    let arm = context.azure(&fleet)?;
    let storage = storages(&fleet, &context.clock, context.rng())?;
    let checker = Arc::new(Checker { fleet, store, arm, storage, by: context.actor() });
    let document = check(checker, apps, context).await?;
    backends.store.close().await;
    show(&document, context)?;
    Ok(if document.lost + document.unchecked == 0 { Exit::Done } else { Exit::Failed })
}

/// What the catalog knows to be there, of the apps that were named.
async fn kept(
    args: &AppsArgs,
    store: &dyn Store,
    context: &Context,
) -> anyhow::Result<BTreeMap<AppId, Vec<CatalogEntry>>> {
    let mut entries = Vec::new();
    if args.all {
        entries = store.catalog(&CatalogFilter::default()).await?;
    }
    for name in &args.apps {
        let app = Some(context.app_in(store, name).await?);
        entries.extend(store.catalog(&CatalogFilter { app, ..CatalogFilter::default() }).await?);
    }
    let mut apps: BTreeMap<AppId, Vec<CatalogEntry>> = BTreeMap::new();
    for entry in entries {
        let of_app = apps.entry(entry.app.clone()).or_default();
        if !of_app.contains(&entry) {
            of_app.push(entry);
        }
    }
    Ok(apps)
}

async fn check(
    checker: Arc<Checker>,
    apps: BTreeMap<AppId, Vec<CatalogEntry>>,
    context: &Context,
) -> anyhow::Result<Document> {
    let bar = progress(apps.len(), context);
    let (count, mut waiting, mut working) = (apps.len(), apps.into_iter(), JoinSet::new());
    let mut backups = Vec::new();
    loop {
        while working.len() < AT_ONCE {
            let Some((app, entries)) = waiting.next() else { break };
            let (checker, rng) = (Arc::clone(&checker), context.rng());
            working.spawn(async move { checker.check(&app, entries, rng).await });
        }
        let Some(done) = working.join_next().await else { break };
        backups.extend(done??);
        bar.inc(1);
    }
    bar.finish_and_clear();
    backups
        .sort_by_cached_key(|found: &Finding| (found.app.short_name(), found.app.clone(), found.backup_id));
    let of = |is: fn(&VerifyResult) -> bool| backups.iter().filter(|found| is(&found.verdict)).count();
    Ok(Document {
        apps: count,
        verified: of(|verdict| matches!(verdict, VerifyResult::Verified { .. })),
        lost: of(|verdict| matches!(verdict, VerifyResult::Lost { .. })),
        unchecked: of(|verdict| matches!(verdict, VerifyResult::Unchecked { .. })),
        without_storage: of(|verdict| matches!(verdict, VerifyResult::Verified { size_bytes: None })),
        backups,
    })
}

/// A bar on a terminal, and nothing elsewhere.
fn progress(apps: usize, context: &Context) -> ProgressBar {
    if context.out.is_json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(apps).unwrap_or(0));
    let style = "verifying {bar:40} {pos}/{len} apps [{elapsed}]";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(document: &Document, context: &Context) -> anyhow::Result<()> {
    if context.out.is_json() {
        return Ok(context.out.json(document)?);
    }
    let mut table = Table::new(["APP", "BACKUP", "BLOB", "FOUND", "DETAIL"]);
    let mut is_bad = false;
    for found in &document.backups {
        let (word, detail) = match &found.verdict {
            VerifyResult::Verified { .. } => continue,
            VerifyResult::Lost { detail } => (Cell::toned("lost", Tone::Bad), detail),
            VerifyResult::Unchecked { detail } => (Cell::toned("could not be checked", Tone::Warn), detail),
        };
        is_bad = true;
        let (name, id) = (found.app.short_name(), found.backup_id.to_string());
        table.row([name.into(), id.into(), found.blob.as_str().into(), word, detail.as_str().into()]);
    }
    if is_bad {
        context.out.table(table)?;
    }
    let Document { apps, verified, lost, unchecked, without_storage, backups } = document;
    let alone = match without_storage {
        0 => String::new(),
        count => format!("; {count} by Azure's word alone, because their storage is out of reach"),
    };
    Ok(context.out.text(&format!(
        "{} of {}: {verified} verified, {lost} lost, {unchecked} could not be checked{alone}",
        counted(backups.len(), "backup"),
        counted(*apps, "app"),
    ))?)
}
