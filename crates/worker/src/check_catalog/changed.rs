//! Tells how Azure lists a backup otherwise than it was recorded. Pure.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use holdfast_arm::Backup;
use holdfast_model::{
    BackupFacts, BackupStatus, CatalogEntry, DatabaseFacts, Origin, RunEvent, Timestamp, format_timestamp,
};

use super::facts::facts_of;
use super::known::Known;
use super::observed::Observed;

/// Difference between the recorded and the listed time that clocks explain. The record is bounded by the store's clock.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::hours(1);

/// The listed backup that an entry records: of the same number, and of the same blob or the same time.
pub(super) fn listed_as<'b>(entry: &CatalogEntry, observed: &'b Observed) -> Option<&'b Backup> {
    let facts = &entry.backup;
    let is_same_time = |listed: &&Backup| {
        let created = listed.created.filter(|_| is_dated(entry));
        listed.id == facts.id
            && created.is_some_and(|created| (created - facts.accepted_at).abs() < TimeDelta::seconds(1))
    };
    observed.listed.find(facts).or_else(|| observed.listed.backups.iter().find(is_same_time))
}

/// The record that Azure lists a backup otherwise; `None` where nothing differs that is not recorded yet.
pub(super) fn changed(
    entry: &CatalogEntry,
    listed: &Backup,
    (known, observed): (&Known, &Observed),
    now: Timestamp,
) -> Option<RunEvent> {
    let (facts, updates) = updated(entry, listed, now)?;
    let differences: Vec<String> =
        status(entry, listed, known).into_iter().chain(container(entry, listed, observed)).collect();
    let recorded = entry.change.as_ref().map(|change| change.differences.as_slice()).unwrap_or_default();
    if updates.is_empty() && differences == recorded {
        return None;
    }
    let (backup, blob) = (entry.backup.id, entry.backup.blob.clone());
    Some(RunEvent::BackupChanged { backup, blob, now: facts, updates, differences })
}

/// The facts after the record follows what Azure lists, and each difference that it follows.
fn updated(entry: &CatalogEntry, listed: &Backup, now: Timestamp) -> Option<(BackupFacts, Vec<String>)> {
    let (mut facts, mut updates) = (entry.backup.clone(), Vec::new());
    let new = facts_of(listed, now)?;
    let is_named = listed.blob_name.is_some();
    if is_named && last_part(&new.blob) != last_part(&facts.blob) {
        updates.push(format!("its blob is {} and was {}", new.blob, facts.blob));
        facts.blob = new.blob;
    }
    let created = listed.created.filter(|created| is_dated(entry) && *created <= now);
    if let Some(created) = created.filter(|created| (*created - facts.accepted_at).abs() > CLOCKS_DIFFER) {
        let [is, was] = [created, facts.accepted_at].map(format_timestamp);
        updates.push(format!("it was created at {is} and was at {was}"));
        facts.accepted_at = created;
    }
    if facts.finished_at.is_some() && names(&new.databases) != names(&facts.databases) {
        let [is, was] = [&new.databases, &facts.databases].map(|databases| text(databases));
        updates.push(format!("it holds {is} and held {was}"));
        facts.databases = new.databases;
    }
    Some((facts, updates))
}

/// Whether its recorded time is Azure's, and not when an orphan was found.
fn is_dated(entry: &CatalogEntry) -> bool {
    entry.origin != Origin::Orphan || entry.backup.finished_at.is_some()
}

fn last_part(blob: &str) -> &str {
    blob.rsplit('/').next().unwrap_or(blob)
}

fn names(databases: &[DatabaseFacts]) -> BTreeSet<(String, String)> {
    databases.iter().map(|of| (of.kind.to_lowercase(), of.name.to_lowercase())).collect()
}

fn text(databases: &[DatabaseFacts]) -> String {
    let names: Vec<String> = databases.iter().map(|of| format!("{} {}", of.kind, of.name)).collect();
    if names.is_empty() { "no database".to_owned() } else { names.join(", ") }
}

/// The status of a backup that counts, where it is none that the record explains.
pub(super) fn status(entry: &CatalogEntry, listed: &Backup, known: &Known) -> Option<String> {
    let is_explained = match listed.status {
        BackupStatus::Succeeded => true,
        BackupStatus::PartiallySucceeded => !matches!(entry.origin, Origin::Succeeded | Origin::TakenOver),
        BackupStatus::DeleteInProgress => known.being_deleted.contains(&entry.backup.id),
        BackupStatus::DeleteFailed => {
            entry.last_failure_at.is_some() || known.being_deleted.contains(&entry.backup.id)
        }
        _ => false,
    };
    (entry.is_counted_on() && !is_explained).then(|| format!("azure calls it {}", listed.status))
}

/// The container that Azure has it in, where that is not the one of its storage.
fn container(entry: &CatalogEntry, listed: &Backup, observed: &Observed) -> Option<String> {
    let (is, ours) = (listed.container.as_ref()?, observed.containers.get(&entry.storage)?);
    let is_ours = is.eq_ignore_ascii_case(ours.trim_end_matches('/'));
    (!is_ours).then(|| format!("azure has it in {is}, and storage `{}` is {ours}", entry.storage))
}
