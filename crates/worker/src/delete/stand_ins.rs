//! Whether enough other backups are proved for a backup to be deleted. Pure.

use holdfast_arm::{Backup, Observation, VerifyResult, judge};
use holdfast_model::{CatalogEntry, Cause, Delete, Timestamp, retention};

use crate::ending::refused;
use crate::next::Next;
use crate::step_input::StepInput;

/// Backups that the text of a refusal names.
const NAMED_MAX: usize = 3;

/// The question whether a backup may be deleted beside those that are proved.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandIns<'a> {
    /// The deletion.
    pub delete: &'a Delete,
    /// The backup to delete.
    pub subject: &'a CatalogEntry,
    /// The store's time.
    pub now: Timestamp,
}

/// A backup that is no stand-in, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unproved<'a> {
    pub entry: &'a CatalogEntry,
    pub why: String,
}

impl<'a> StandIns<'a> {
    /// Whether other backups must be left. A person may delete leftovers, and the last backup where that is allowed.
    pub fn are_needed(&self) -> bool {
        self.delete.rule.is_some() || (!self.delete.allow_last && self.subject.is_counted_on())
    }

    /// The entries that may stand in, the most likely first: the good ones, the newest first, then the others.
    pub fn candidates(&self, mut entries: Vec<&'a CatalogEntry>) -> Vec<&'a CatalogEntry> {
        entries.retain(|entry| {
            entry.backup.id != self.subject.backup.id
                && entry.removal.is_none()
                && (self.delete.rule.is_some() || entry.stands_in_for(self.subject))
        });
        let newest = |entry: &CatalogEntry| (entry.good, entry.backup.accepted_at, entry.backup.id);
        entries.sort_by_key(|entry| std::cmp::Reverse(newest(entry)));
        entries
    }

    /// Whether the backup may be deleted where only the `proved` ones are left beside it.
    pub fn suffice(&self, proved: &[&CatalogEntry]) -> bool {
        match &self.delete.rule {
            Some(rule) => {
                let others: Vec<retention::Backup> =
                    proved.iter().map(|entry| entry.for_retention(true)).collect();
                rule.keeps(self.subject.for_retention(true), &others, self.now).is_none()
            }
            None => proved.iter().any(|entry| entry.stands_in_for(self.subject)),
        }
    }
}

/// What was read of a stand-in in this step.
#[derive(Debug)]
pub(super) struct StandInFacts<'a> {
    /// Azure's entry, in the list of this step.
    pub listed: Option<&'a Backup>,
    /// Whether an unfinished run deletes it.
    pub is_being_deleted: bool,
    /// Its blobs; `None` where the policy says that storage is out of reach.
    pub blobs: Option<holdfast_arm::BlobSizes>,
}

/// Why the backup does not count as a stand-in; `None` where it does.
pub(super) fn fault(entry: &CatalogEntry, facts: &StandInFacts<'_>) -> Option<String> {
    let observed = Observation {
        listed: facts.listed,
        doubt: None,
        is_being_deleted: facts.is_being_deleted,
        blobs: facts.blobs.map(Ok),
    };
    match judge(&entry.backup, &observed) {
        VerifyResult::Verified { .. } => None,
        VerifyResult::Lost { detail } | VerifyResult::Unchecked { detail } => Some(detail),
    }
}

/// The DELETE must not be sent, because these backups are not proved.
pub(super) fn missing(
    input: &StepInput<'_>,
    delete: &Delete,
    unproved: &[Unproved<'_>],
    rng: &mut fastrand::Rng,
) -> Next {
    let mut named: Vec<String> = unproved
        .iter()
        .take(NAMED_MAX)
        .map(|Unproved { entry, why }| format!("{} ({}): {why}", entry.backup.id, entry.backup.blob))
        .collect();
    if unproved.len() > NAMED_MAX {
        named.push(format!("and {} more", unproved.len() - NAMED_MAX));
    }
    let others = if named.is_empty() { "there is none".to_owned() } else { named.join("; ") };
    let id = delete.backup;
    let detail = format!("backup {id} may be deleted only while other backups are there and whole: {others}");
    refused(input, Cause::StandInMissing, detail, rng)
}
