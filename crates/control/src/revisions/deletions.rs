//! Which backups retention deletes under one fleet and not under another.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{AppId, BackupId, CatalogEntry, Policy, Timestamp};
use holdfast_scheduler::{RetentionQuery, UnfinishedRuns};
use holdfast_store::{CatalogFilter, Store};

use super::changes::DeletionChange;
use super::diff::Both;
use crate::Error;
use crate::retention::unfinished_runs;

/// Decides about the apps whose policy changes. Reads the catalog only where there is one.
pub(super) async fn deletions(
    store: &dyn Store,
    apps: &[Both<'_>],
    now: Timestamp,
) -> Result<Vec<DeletionChange>, Error> {
    let changed: Vec<&Both<'_>> = apps.iter().filter(|app| may_delete_more(app.before, app.after)).collect();
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let unfinished = unfinished_runs(store).await?;
    let mut by_app: BTreeMap<AppId, Vec<CatalogEntry>> = BTreeMap::new();
    for entry in store.catalog(&CatalogFilter::default()).await? {
        by_app.entry(entry.app.clone()).or_default().push(entry);
    }
    let of_app = |app: &&Both<'_>| {
        let entries = by_app.get(app.id)?;
        change(app, entries, &unfinished, now)
    };
    Ok(changed.iter().filter_map(of_app).collect())
}

/// Whether another rule, or the same one in another zone, may delete what was kept.
fn may_delete_more(before: Option<&Policy>, after: Option<&Policy>) -> bool {
    let rule = |policy: &Policy| (policy.retention, policy.schedule.timezone.name().to_owned());
    after.is_some_and(|after| after.retention.is_some() && before.map(rule) != Some(rule(after)))
}

fn change(
    app: &Both<'_>,
    entries: &[CatalogEntry],
    unfinished: &UnfinishedRuns,
    now: Timestamp,
) -> Option<DeletionChange> {
    let expired = |policy: &Policy| {
        let (entries, foreign) = (entries.iter().collect(), Vec::new());
        RetentionQuery { policy, entries, foreign, unfinished, now }.decide().expired
    };
    let policy = app.after?;
    // What a rule only reported was not deleted.
    let deleting = |policy: &&Policy| policy.retention.is_some_and(|rule| !rule.dry_run);
    let before: BTreeSet<BackupId> = app.before.filter(deleting).map(expired).unwrap_or_default();
    let backups: Vec<i64> = expired(policy).difference(&before).map(|id| id.0).collect();
    (!backups.is_empty()).then(|| DeletionChange {
        app: app.id.clone(),
        name: app.id.short_name(),
        policy: policy.name.clone(),
        dry_run: policy.retention.is_some_and(|rule| rule.dry_run),
        backups,
    })
}
