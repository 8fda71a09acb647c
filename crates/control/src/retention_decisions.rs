//! Decides which of an app's backups retention deletes.

use std::collections::BTreeMap;

use holdfast_model::retention::{Backup, KeepReason, RetentionDecision, decide};
use holdfast_model::{BackupId, CatalogEntry, Policy, Timestamp};

/// The decision for each existing backup of the catalog, by its id; empty when the policy has no rule.
///
/// `strangers` are the app's backups that the catalog lacks.
pub fn of<'e>(
    policy: &Policy,
    entries: impl IntoIterator<Item = &'e CatalogEntry>,
    strangers: impl IntoIterator<Item = (BackupId, Timestamp)>,
    now: Timestamp,
) -> BTreeMap<BackupId, RetentionDecision> {
    let Some(rule) = &policy.retention else { return BTreeMap::new() };
    let known = entries.into_iter().filter(|entry| entry.removal.is_none()).map(|entry| Backup {
        id: entry.backup.id,
        accepted_at: entry.backup.accepted_at,
        good: entry.good,
        held: entry.hold.is_some(),
        ours: true,
    });
    let strangers = strangers.into_iter().map(|(id, accepted_at)| Backup {
        id,
        accepted_at,
        good: false,
        held: false,
        ours: false,
    });
    let backups: Vec<Backup> = known.chain(strangers).collect();
    let decisions = decide(rule, &backups, policy.schedule.timezone, now);
    decisions
        .into_iter()
        .filter(|(_, decision)| *decision != RetentionDecision::Keep(KeepReason::NotOurs))
        .collect()
}
