//! Verifies the backups of several apps.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use holdfast_arm::VerifyResult;
use holdfast_model::{AppId, CatalogEntry};
use holdfast_store::{CatalogFilter, Store};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::{Judged, verify_app};
use crate::app_resolver;
use crate::context::ControlContext;
use crate::error::Error;
use crate::inventory::is_lost_lately;

/// Maximum number of apps verified concurrently.
const AT_ONCE: usize = 8;

/// The results of all backups, and their counts.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct VerifyReport {
    /// Apps.
    pub apps: usize,
    /// Backups that exist and are whole.
    pub verified: usize,
    /// Backups that do not exist, or are not whole.
    pub lost: usize,
    /// Backups that could not be checked.
    pub unchecked: usize,
    /// Verified backups whose storage is out of reach, so that only Azure's list was checked.
    pub without_storage: usize,
    /// Backups that a restore could use and that were found lost in the week before, by this command or by a check.
    pub lost_before: usize,
    /// Each backup, by the name of its app.
    pub backups: Vec<VerifiedBackup>,
}

/// One backup and its result.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct VerifiedBackup {
    /// Its app.
    pub app: AppId,
    /// Azure's id of it.
    pub backup_id: i64,
    /// Its blob.
    pub blob: String,
    /// The result.
    #[serde(flatten)]
    #[schema(value_type = Verdict)]
    pub result: VerifyResult,
    /// What to do next; `None` for a verified backup.
    pub next: Option<String>,
}

/// How a [`VerifyResult`] is written.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what another type writes")]
struct Verdict {
    /// `verified`, `lost` or `unchecked`.
    result: String,
    /// The blob's size; `null` where storage is out of reach.
    size_bytes: Option<i64>,
    /// What is missing, or why it could not be checked.
    detail: Option<String>,
}

/// The existing backups of the catalog by app: of the apps with these names, or of `all`.
///
/// An app whose backups were all lost is there without a backup.
pub async fn catalog_by_app(
    store: &dyn Store,
    names: &[String],
    all: bool,
) -> Result<BTreeMap<AppId, Vec<CatalogEntry>>, Error> {
    let mut entries = Vec::new();
    let mut apps: BTreeMap<AppId, Vec<CatalogEntry>> = BTreeMap::new();
    if all {
        entries = store.catalog(&CatalogFilter::default()).await?;
        let with_losses = store.status().await?.into_iter().filter(|status| status.check.lost > 0);
        apps.extend(with_losses.map(|status| (status.app, Vec::new())));
    }
    for app in app_resolver::all_in_store(store, names).await? {
        let filter = CatalogFilter { app: Some(app.clone()), ..CatalogFilter::default() };
        entries.extend(store.catalog(&filter).await?);
        apps.entry(app).or_default();
    }
    for entry in entries {
        let of_app = apps.entry(entry.app.clone()).or_default();
        if !of_app.contains(&entry) {
            of_app.push(entry);
        }
    }
    Ok(apps)
}

/// Verifies these backups, and records in the store which are verified and which are lost.
///
/// A backup that could not be checked leaves the catalog as it is. Calls `progress` after each app.
pub async fn verify(
    context: &ControlContext<'_>,
    apps: BTreeMap<AppId, Vec<CatalogEntry>>,
    rng: &mut fastrand::Rng,
    progress: impl Fn(),
) -> Result<VerifyReport, Error> {
    let count = apps.len();
    let mut lost_before = 0;
    for app in apps.keys() {
        lost_before += lost_lately(context, app).await?;
    }
    let tasks = apps.into_iter().map(|(app, entries)| {
        let rng = rng.fork();
        async move { verify_app(context, &app, entries, rng).await }
    });
    let mut results = futures::stream::iter(tasks).buffer_unordered(AT_ONCE);
    let mut backups = Vec::new();
    while let Some(judged) = results.next().await {
        backups.extend(judged?.into_iter().map(VerifiedBackup::from));
        progress();
    }
    drop(results);
    Ok(VerifyReport { lost_before, ..VerifyReport::new(count, backups) })
}

/// How many backups of an app were found lost lately that a restore could have used.
async fn lost_lately(context: &ControlContext<'_>, app: &AppId) -> Result<usize, Error> {
    let filter = CatalogFilter { app: Some(app.clone()), with_removed: true, ..CatalogFilter::default() };
    let entries = context.store.catalog(&filter).await?;
    Ok(entries.iter().filter(|entry| is_lost_lately(entry, context.now)).count())
}

impl VerifyReport {
    fn new(apps: usize, mut backups: Vec<VerifiedBackup>) -> Self {
        backups.sort_by_cached_key(|found| (found.app.short_name(), found.app.clone(), found.backup_id));
        let of = |is: fn(&VerifyResult) -> bool| backups.iter().filter(|found| is(&found.result)).count();
        Self {
            apps,
            verified: of(|result| matches!(result, VerifyResult::Verified { .. })),
            lost: of(|result| matches!(result, VerifyResult::Lost { .. })),
            unchecked: of(|result| matches!(result, VerifyResult::Unchecked { .. })),
            without_storage: of(|result| matches!(result, VerifyResult::Verified { size_bytes: None })),
            lost_before: 0,
            backups,
        }
    }
}

impl From<Judged> for VerifiedBackup {
    fn from((entry, result): Judged) -> Self {
        let next = next(&entry.app.short_name(), &result);
        Self { app: entry.app, backup_id: entry.backup.id.0, blob: entry.backup.blob, result, next }
    }
}

fn next(app: &str, result: &VerifyResult) -> Option<String> {
    match result {
        VerifyResult::Verified { .. } => None,
        VerifyResult::Lost { .. } => Some(format!("`holdfast backup {app}` takes a new one")),
        VerifyResult::Unchecked { .. } => Some(format!(
            "`holdfast doctor {app}` finds what prevents the check; then `holdfast verify {app}` again"
        )),
    }
}
