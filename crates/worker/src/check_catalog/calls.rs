//! The reads of a catalog check.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_arm::{BlobSizes, ErrorKind, ObservedBackups};
use holdfast_model::{
    BackupFacts, DatabaseRef, NativeSchedule, Run, RunEvent, RunKind, RunState, StorageName,
};
use holdfast_storage::{ObservedSchedule, WantedSchedule};
use holdfast_store::{CatalogFilter, RunFilter};

use super::facts::facts_of;
use super::known::{Known, has_our_name, late_backups};
use super::schedule::record;
use super::selection::to_read;
use crate::blob_sizes::{AT_ONCE, all_sizes};
use crate::deletions::{is_deletion_of, open_deletions};
use crate::not_ready::NotReady;
use crate::step_context::StepContext;

/// The newest backup runs of an app among which the owner of a late backup is looked for.
const OWNERS_MAX: u32 = 2_000;

fn of_app(context: &StepContext<'_>, kind: RunKind) -> RunFilter {
    RunFilter { app: Some(context.run().app.clone()), kind: Some(kind), ..RunFilter::default() }
}

/// Reads the catalog and the deletions of the app.
pub(super) async fn read_known(context: &StepContext<'_>) -> Result<Known, NotReady> {
    let (store, app) = (&context.env.store, &context.run().app);
    let unfinished = RunFilter { unfinished: true, ..of_app(context, RunKind::Delete) };
    let being_deleted = store
        .runs(&unfinished)
        .await?
        .iter()
        .filter_map(|run| run.task.backup(app).map(|(_, id)| id))
        .collect();
    let deletions = match &context.run().state {
        RunState::Comparing { missing, .. } => {
            let is_of_missing =
                |run: &Run| missing.iter().any(|missing| is_deletion_of(run, missing.id, &missing.blob));
            open_deletions(context, is_of_missing).await?
        }
        _ => Vec::new(),
    };
    let entries =
        store.catalog(&CatalogFilter { app: Some(app.clone()), ..CatalogFilter::default() }).await?;
    Ok(Known { entries, being_deleted, deletions, ..Known::default() })
}

/// Lists the app's backups, with the second list where the first lacks one of the catalog.
pub(super) async fn list(context: &StepContext<'_>, known: &Known) -> Result<ObservedBackups, NotReady> {
    let (arm, app) = (&context.env.arm, &context.run().app);
    let mut listed = ObservedBackups::of(arm.list_backups(app).await?);
    if !known.entries.iter().all(|entry| listed.find(&entry.backup).is_some()) {
        listed.complete(arm.list_site_backups(app).await);
    }
    Ok(listed)
}

/// Reads what the store knows of listed backups that no existing entry matches.
pub(super) async fn read_about_unknown(
    context: &StepContext<'_>,
    known: &mut Known,
    listed: &ObservedBackups,
) -> Result<(), NotReady> {
    let store = &context.env.store;
    if known.unknown(&listed.backups).is_empty() {
        return Ok(());
    }
    let app = Some(context.run().app.clone());
    let all = CatalogFilter { app, with_removed: true, ..CatalogFilter::default() };
    known.removed = store.catalog(&all).await?;
    known.removed.retain(|entry| entry.removal.is_some());
    let mut ours = known.unknown(&listed.backups);
    ours.retain(|backup| has_our_name(backup));
    if !ours.is_empty() {
        let runs = RunFilter { most: OWNERS_MAX, ..of_app(context, RunKind::Backup) };
        known.late = late_backups(&ours, &store.runs(&runs).await?);
    }
    Ok(())
}

/// The blobs that were read, and the first error.
#[derive(Debug, Default)]
pub(super) struct ReadBlobs {
    pub sizes: BTreeMap<String, Result<BlobSizes, String>>,
    pub error: Option<holdfast_storage::Error>,
}

/// Reads the blobs of the app's backups, where the policy says that storage is in reach.
///
/// Stops reading from a storage that fails, so that one that does not answer costs one timeout.
pub(super) async fn read_blobs(context: &StepContext<'_>, known: &Known) -> ReadBlobs {
    let (mut read, now) = (ReadBlobs::default(), context.input.now);
    if !context.run().policy_snapshot.verify {
        return read;
    }
    let late: Vec<(StorageName, BackupFacts)> = known
        .late
        .iter()
        .filter_map(|late| Some((late.storage.clone(), facts_of(&late.listed, now)?)))
        .collect();
    let mut failed: BTreeSet<StorageName> = BTreeSet::new();
    let chosen = to_read(known, &late, &context.run().state, now);
    for group in chosen.chunks(AT_ONCE) {
        let group: Vec<_> = group.iter().filter(|stored| !failed.contains(stored.storage)).copied().collect();
        for (stored, sizes) in group.iter().zip(all_sizes(context, &group).await) {
            let text = sizes.as_ref().map(|sizes| *sizes).map_err(ToString::to_string);
            read.sizes.insert(stored.backup.blob.clone(), text);
            if let Err(error) = sizes {
                failed.insert(stored.storage.clone());
                read.error.get_or_insert(error);
            }
        }
    }
    // What a failed storage holds is unknown, and not out of reach.
    for entry in known.entries.iter().filter(|entry| failed.contains(&entry.storage)) {
        let unread = || Err("its storage could not be read".to_owned());
        read.sizes.entry(entry.backup.blob.clone()).or_insert_with(unread);
    }
    read
}

/// The containers of the storages that the recorded backups name. A storage that the fleet file no longer has is absent.
pub(super) fn containers(context: &StepContext<'_>, known: &Known) -> BTreeMap<StorageName, String> {
    let storages: BTreeSet<&StorageName> = known.entries.iter().map(|entry| &entry.storage).collect();
    let url = |storage: &StorageName| {
        let container = context.env.storage.container(storage).ok()?;
        Some((storage.clone(), container.url().to_string()))
    };
    storages.into_iter().filter_map(url).collect()
}

/// Compares Azure's own schedule with what the fleet file asks for. A credential that may not read it is no fault of the
/// backups.
pub(super) async fn compare_schedule(
    context: &StepContext<'_>,
    schedule: Option<&NativeSchedule>,
    databases: &[DatabaseRef],
) -> Result<Option<RunEvent>, NotReady> {
    let (env, run) = (context.env, context.run());
    let found = match env.arm.schedule(&run.app).await {
        Ok(found) => found,
        Err(error) if *error.kind() == ErrorKind::Forbidden => {
            tracing::info!(app = run.app.short_name(), %error, "azure's own schedule is not compared");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let found =
        found.map(|found| ObservedSchedule::new(found.schedule, found.storage_url.as_ref(), found.databases));
    let container = env.storage.container(&run.policy_snapshot.storage).ok();
    let wanted = WantedSchedule { schedule, databases, container: container.as_ref() };
    let drift = wanted.drift(found.as_ref(), context.input.now);
    let had_drifted = drift.is_empty() && had_drifted(context).await?;
    Ok(record(found.map(|found| found.schedule), drift, had_drifted))
}

/// Whether the last check of the app found differences.
async fn had_drifted(context: &StepContext<'_>) -> Result<bool, NotReady> {
    let store = &context.env.store;
    let checks = store.runs(&RunFilter { most: 2, ..of_app(context, RunKind::CheckCatalog) }).await?;
    let Some(last) = checks.into_iter().find(|check| check.id != context.run().id) else { return Ok(false) };
    let events = store.events(last.id).await?;
    let drift = events.into_iter().rev().find_map(|event| match event.event {
        RunEvent::ScheduleCompared { drift, .. } => Some(drift),
        _ => None,
    });
    Ok(drift.is_some_and(|drift| !drift.is_empty()))
}
