//! Proves, in the step that sends a DELETE, that the backups which replace the deleted one exist.

use std::collections::BTreeSet;

use holdfast_arm::{Backup, ObservedBackups};
use holdfast_model::{BackupId, CatalogEntry, Delete, RunKind};
use holdfast_store::{CatalogFilter, RunFilter};

use super::stand_ins::{StandInFacts, StandIns, Unproved, fault, missing};
use crate::blob_sizes::{AT_ONCE, StoredBackup, all_sizes};
use crate::next::Next;
use crate::not_ready::NotReady;
use crate::step_context::StepContext;

/// The existing backups of the app, and those that unfinished runs delete.
#[derive(Debug)]
pub(super) struct OtherBackups {
    entries: Vec<CatalogEntry>,
    being_deleted: BTreeSet<BackupId>,
}

/// Reads from the store what may stand in for the backup.
pub(super) async fn read_others(context: &StepContext<'_>) -> Result<OtherBackups, NotReady> {
    let (store, app) = (&context.env.store, &context.run().app);
    let deletions = RunFilter {
        app: Some(app.clone()),
        kind: Some(RunKind::Delete),
        unfinished: true,
        ..RunFilter::default()
    };
    let deletions = store.runs(&deletions).await?;
    let being_deleted = deletions.iter().filter_map(|run| run.task.backup(app).map(|(_, id)| id)).collect();
    let filter = CatalogFilter { app: Some(app.clone()), ..CatalogFilter::default() };
    Ok(OtherBackups { entries: store.catalog(&filter).await?, being_deleted })
}

/// The end of the run where too few other backups are proved by `listed` and, in reach, by their blobs.
///
/// Reads blobs only until those that are proved suffice.
pub(super) async fn refusal(
    context: &StepContext<'_>,
    delete: &Delete,
    others: &OtherBackups,
    listed: Vec<Backup>,
    rng: &mut fastrand::Rng,
) -> Result<Option<Next>, NotReady> {
    let Some(subject) = context.input.subject else { return Ok(None) };
    let stand_ins = StandIns { delete, subject, now: context.input.now };
    if !stand_ins.are_needed() {
        return Ok(None);
    }
    let listed = ObservedBackups::of(listed);
    let is_in_reach = context.run().policy_snapshot.verify;
    let (mut proved, mut unproved) = (Vec::new(), Vec::new());
    for group in stand_ins.candidates(others.entries.iter().collect()).chunks(AT_ONCE) {
        if stand_ins.suffice(&proved) {
            break;
        }
        let facts = |entry: &CatalogEntry| StandInFacts {
            listed: listed.find(&entry.backup),
            is_being_deleted: others.being_deleted.contains(&entry.backup.id),
            blobs: None,
        };
        let (mut there, gone): (Vec<_>, Vec<_>) =
            group.iter().copied().partition(|entry| fault(entry, &facts(entry)).is_none());
        unproved.extend(gone.into_iter().filter_map(|entry| {
            let why = fault(entry, &facts(entry))?;
            Some(Unproved { entry, why })
        }));
        if is_in_reach {
            let stored =
                there.iter().map(|entry| StoredBackup { storage: &entry.storage, backup: &entry.backup });
            let sizes = all_sizes(context, &stored.collect::<Vec<_>>()).await;
            let mut whole = Vec::new();
            for (entry, sizes) in there.into_iter().zip(sizes) {
                let facts = StandInFacts { blobs: Some(sizes?), ..facts(entry) };
                match fault(entry, &facts) {
                    None => whole.push(entry),
                    Some(why) => unproved.push(Unproved { entry, why }),
                }
            }
            there = whole;
        }
        proved.extend(there);
    }
    if stand_ins.suffice(&proved) {
        return Ok(None);
    }
    Ok(Some(missing(&context.input_now(), delete, &unproved, rng)))
}
