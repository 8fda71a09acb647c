//! Compares the catalog with what a look saw. Pure.

use std::time::Duration;

use holdfast_arm::{Backup, Observation, VerifyResult, judge};
use holdfast_model::{BackupFacts, BackupStatus, CatalogEntry, MissingBackup, Origin, RunEvent, Timestamp};

use super::changed::{changed, listed_as, status};
use super::facts::facts_of;
use super::known::{Known, LateBackup};
use super::observed::Observed;
use crate::step_input::StepInput;

/// Time for which Azure may not list a new backup yet.
const LISTED_AFTER: Duration = Duration::from_mins(10);

/// Longest time that Azure works on a backup.
const MAKING_MAX: Duration = Duration::from_hours(24);

/// What a look found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// The findings that are certain.
    pub events: Vec<RunEvent>,
    /// Backups that are missing or not whole, each with what is missing. A second look decides.
    pub missing: Vec<Missing>,
}

/// A missing backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    pub backup: MissingBackup,
    pub detail: String,
}

/// Compares the entries of the catalog, and the backups without an entry, with what was seen.
pub(super) fn compare(input: &StepInput<'_>, known: &Known, observed: &Observed) -> Findings {
    let mut findings = Findings::default();
    for entry in known.entries.iter().filter(|entry| !is_too_new(entry, input.now)) {
        findings.add_existing(input, known, observed, entry);
    }
    let lost = known.removed.iter().filter(|entry| entry.removal.is_some_and(|gone| !gone.deleted));
    findings.events.extend(lost.filter_map(|entry| found_again(known, observed, entry)).flatten());
    findings.events.extend(known.late.iter().filter_map(|late| adopted(input, observed, late)));
    findings
}

/// Whether Azure may not list it yet, or may still be making it.
fn is_too_new(entry: &CatalogEntry, now: Timestamp) -> bool {
    let accepted_at = entry.backup.accepted_at;
    let is_unfinished = entry.origin == Origin::Attempt && entry.backup.finished_at.is_none();
    accepted_at + LISTED_AFTER > now || (is_unfinished && accepted_at + MAKING_MAX > now)
}

impl Findings {
    fn add_existing(
        &mut self,
        input: &StepInput<'_>,
        known: &Known,
        observed: &Observed,
        entry: &CatalogEntry,
    ) {
        let facts = &entry.backup;
        let listed = listed_as(entry, observed);
        // A backup that changed is verified in a later check.
        if let Some(event) = listed.and_then(|listed| changed(entry, listed, (known, observed), input.now)) {
            self.events.push(event);
            return;
        }
        match judged(known, observed, (facts, listed)) {
            VerifyResult::Lost { detail } => {
                let backup = MissingBackup { id: facts.id, blob: facts.blob.clone() };
                self.missing.push(Missing { backup, detail });
            }
            VerifyResult::Verified { size_bytes } => {
                if listed.is_some_and(|listed| has_wrong_status(entry, listed, known)) {
                    return;
                }
                let finished = listed.filter(|_| is_unfinished(entry)).and_then(|listed| {
                    let late =
                        LateBackup { listed: listed.clone(), run: entry.run, storage: entry.storage.clone() };
                    adopted(input, observed, &late)
                });
                self.events.extend(finished.or_else(|| verified(entry, size_bytes)));
            }
            VerifyResult::Unchecked { .. } => {}
        }
    }
}

/// Whether a backup that counts has a status that prevents verifying it. A failed deletion leaves it whole.
fn has_wrong_status(entry: &CatalogEntry, listed: &Backup, known: &Known) -> bool {
    listed.status != BackupStatus::DeleteFailed && status(entry, listed, known).is_some()
}

fn is_unfinished(entry: &CatalogEntry) -> bool {
    matches!(entry.origin, Origin::Attempt | Origin::Orphan) && entry.backup.finished_at.is_none()
}

/// The result for a recorded backup, by the rule of `holdfast verify`.
fn judged(
    known: &Known,
    observed: &Observed,
    (facts, listed): (&BackupFacts, Option<&Backup>),
) -> VerifyResult {
    judge(
        facts,
        &Observation {
            listed,
            doubt: observed.listed.doubt.as_ref().map(ToString::to_string),
            is_being_deleted: known.being_deleted.contains(&facts.id),
            blobs: observed.blobs.get(&facts.blob).cloned(),
        },
    )
}

/// The record that an unverified backup is whole; only a backup that a restore could use has one.
fn verified(entry: &CatalogEntry, size_bytes: Option<i64>) -> Option<RunEvent> {
    let size_bytes = size_bytes.filter(|_| entry.is_counted_on() && !entry.is_verified())?;
    let (backup, blob) = (entry.backup.id, entry.backup.blob.clone());
    Some(RunEvent::BackupVerified { backup, blob, size_bytes })
}

/// The records that a lost backup is back. One whose blob was once read must have its blob.
fn found_again(known: &Known, observed: &Observed, entry: &CatalogEntry) -> Option<Vec<RunEvent>> {
    let listed = observed.listed.find(&entry.backup);
    let VerifyResult::Verified { size_bytes } = judged(known, observed, (&entry.backup, listed)) else {
        return None;
    };
    if size_bytes.is_none() && entry.is_verified() {
        return None;
    }
    let (backup, blob) = (entry.backup.id, entry.backup.blob.clone());
    let found = RunEvent::BackupFoundAgain { backup, blob };
    Some([found].into_iter().chain(verified(entry, size_bytes)).collect())
}

/// The record of a backup that its run no longer waits for: it is finished, and in reach its blob is whole.
fn adopted(input: &StepInput<'_>, observed: &Observed, late: &LateBackup) -> Option<RunEvent> {
    let snapshot = &input.run.policy_snapshot;
    let good = match late.listed.status {
        BackupStatus::Succeeded => true,
        BackupStatus::PartiallySucceeded => snapshot.partial_is_good,
        _ => return None,
    };
    let backup = facts_of(&late.listed, input.now)?;
    let blobs = observed.blobs.get(&backup.blob).cloned();
    if snapshot.verify && blobs.is_none() {
        return None;
    }
    let observation = Observation { listed: Some(&late.listed), blobs, ..Observation::default() };
    let VerifyResult::Verified { size_bytes } =
        judge(&BackupFacts { size_bytes: 0, ..backup.clone() }, &observation)
    else {
        return None;
    };
    Some(RunEvent::LateBackupFound {
        backup: BackupFacts { size_bytes: size_bytes.unwrap_or(backup.size_bytes), ..backup },
        run: late.run,
        storage: late.storage.clone(),
        good,
        verified: size_bytes.is_some(),
    })
}
