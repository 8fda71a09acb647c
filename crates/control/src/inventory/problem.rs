//! What is wrong with a backup of the catalog, and what to do next. Pure.

use std::time::Duration;

use holdfast_arm::Backup;
use holdfast_model::{BackupChange, CatalogEntry, Removal, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::times::age;

/// How long a lost backup is shown without being asked for, as in `status --problems`.
const LOST_SHOWN_FOR: Duration = Duration::from_hours(7 * 24);

/// Whether a backup that a restore could have used was found lost within the last week.
pub(crate) fn is_lost_lately(entry: &CatalogEntry, now: Timestamp) -> bool {
    let is_loss = |gone: Removal| !gone.deleted && gone.at > now - LOST_SHOWN_FOR;
    entry.is_counted_on() && entry.removal.is_some_and(is_loss)
}

/// A problem of one backup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct BackupProblem {
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What was found, as a sentence without the number of the backup.
    pub detail: String,
    /// What to do next.
    pub next: String,
}

/// The kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Found missing or damaged, and recorded as lost.
    Lost,
    /// Neither of Azure's lists has it, and no check has decided yet.
    Missing,
    /// Azure reports something else about it than the catalog has, or did until its blob is read.
    Changed,
    /// Its blob was never read, although storage is in reach.
    Unverified,
}

impl ProblemKind {
    /// The word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Unverified => "unverified",
        }
    }
}

/// What a judgement needs beside the item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances<'a> {
    /// The short name of the app.
    pub app: &'a str,
    /// Whether the storage of the backup can be read, by the fleet file.
    pub storage_in_reach: bool,
    /// Whether Holdfast is deleting the backup.
    pub being_deleted: bool,
    /// The store's time.
    pub now: Timestamp,
}

/// The problem of a backup of the catalog, which Azure may list; `None` without one.
pub(super) fn of(
    entry: &CatalogEntry,
    listed: Option<&Backup>,
    of: Circumstances<'_>,
) -> Option<BackupProblem> {
    let problem = |kind, detail: String, next: String| Some(BackupProblem { kind, detail, next });
    let app = of.app;
    match (entry.removal, listed) {
        (Some(removal), _) if removal.deleted => None,
        (Some(removal), listed) => {
            let found = if listed.is_some() {
                "Azure lists it, but its blob in storage is missing or not whole"
            } else {
                "Azure no longer lists it"
            };
            let next = format!(
                "`holdfast backup {app}` takes a new one; if its blob is still in the container, \
                 `holdfast restore {app} --blob {}` reads it",
                entry.backup.blob
            );
            problem(ProblemKind::Lost, format!("lost since {}: {found}", age(removal.at, of.now)), next)
        }
        (None, None) if of.being_deleted => None,
        (None, None) => problem(
            ProblemKind::Missing,
            "neither of Azure's lists has it, and no check has recorded it as lost yet".to_owned(),
            format!("`holdfast verify {app}` decides; `holdfast backup {app}` takes a new one"),
        ),
        (None, Some(listed)) => {
            if let Some(found) = entry.change.as_ref().and_then(|change| recorded_change(change, of.now)) {
                let next = format!("`holdfast verify {app}` reads its blob; do not restore it before");
                return problem(ProblemKind::Changed, found, next);
            }
            let ours = Some(entry.backup.size_bytes).filter(|size| *size > 0);
            let theirs = listed.size_bytes.filter(|size| *size > 0);
            if let (Some(ours), Some(theirs)) = (ours, theirs)
                && ours != theirs
            {
                let detail = format!("it had {ours} bytes when it was taken, and Azure now reports {theirs}");
                let next = format!("`holdfast verify {app}` compares its blob; do not restore it before");
                return problem(ProblemKind::Changed, detail, next);
            }
            let owed = of.storage_in_reach && entry.is_counted_on() && !entry.is_verified();
            if !owed || of.being_deleted {
                return None;
            }
            problem(
                ProblemKind::Unverified,
                "its blob was never read, so only Azure's word says that it is whole".to_owned(),
                format!(
                    "`holdfast verify {app}` reads it; `holdfast sas check` tells whether storage answers"
                ),
            )
        }
    }
}

/// What a check of the catalog recorded about a backup that Azure lists otherwise; `None` once it is settled.
fn recorded_change(change: &BackupChange, now: Timestamp) -> Option<String> {
    let since = age(change.at, now);
    if !change.differences.is_empty() {
        return Some(format!("it differs from its record, found {since}: {}", change.differences.join("; ")));
    }
    let counts_not = change.good_once_verified == Some(true);
    counts_not
        .then(|| format!("it changed at Azure, found {since}, and does not count until its blob is read"))
}

#[cfg(test)]
mod tests {
    use super::super::item::Item;
    use super::super::tests::{at, entry, listed};
    use super::*;

    const CIRCUMSTANCES: Circumstances<'_> = Circumstances {
        app: "shop",
        storage_in_reach: true,
        being_deleted: false,
        now: Timestamp::UNIX_EPOCH,
    };

    fn item(verified: bool, removal: Option<Removal>, is_listed: bool) -> Item {
        let mut entry = entry(1, "hf-a.zip", 10);
        (entry.verified_at, entry.removal) = (verified.then(|| at(20)), removal);
        let azure = is_listed.then(|| listed(1, "hf-a.zip", 10));
        Item { id: entry.backup.id, entry: Some(entry), azure, decision: None, problem: None }
    }

    fn kind(item: &Item, circumstances: Circumstances<'_>) -> Option<ProblemKind> {
        of(item.entry.as_ref()?, item.azure.as_ref(), circumstances).map(|problem| problem.kind)
    }

    #[test]
    fn a_backup_is_lost_missing_changed_unverified_or_well() {
        let lost = Some(Removal { at: at(30), deleted: false });
        let deleted = Some(Removal { at: at(30), deleted: true });
        for (verified, removal, is_listed, expected) in [
            (true, None, true, None),
            (false, None, true, Some(ProblemKind::Unverified)),
            (true, None, false, Some(ProblemKind::Missing)),
            (true, lost, false, Some(ProblemKind::Lost)),
            // Storage has lost it, and Azure's list does not know.
            (true, lost, true, Some(ProblemKind::Lost)),
            (true, deleted, false, None),
            (true, deleted, true, None),
        ] {
            let item = item(verified, removal, is_listed);
            assert_eq!(kind(&item, CIRCUMSTANCES), expected, "{verified} {removal:?} {is_listed}");
        }
        let mut changed = item(true, None, true);
        changed.azure.as_mut().unwrap().size_bytes = Some(11);
        assert_eq!(kind(&changed, CIRCUMSTANCES), Some(ProblemKind::Changed));
        let mut recorded = item(true, None, true);
        let differences = vec!["its blob is new.zip and was hf-a.zip".to_owned()];
        let change = BackupChange { at: at(40), differences, good_once_verified: Some(true) };
        recorded.entry.as_mut().unwrap().change = Some(change.clone());
        assert_eq!(kind(&recorded, CIRCUMSTANCES), Some(ProblemKind::Changed));
        let settled = BackupChange { differences: Vec::new(), good_once_verified: None, ..change };
        recorded.entry.as_mut().unwrap().change = Some(settled);
        assert_eq!(kind(&recorded, CIRCUMSTANCES), None);
        changed.entry = None;
        assert_eq!(kind(&changed, CIRCUMSTANCES), None, "a backup of others");
    }

    #[test]
    fn what_is_out_of_reach_or_being_deleted_is_no_problem() {
        let out_of_reach = Circumstances { storage_in_reach: false, ..CIRCUMSTANCES };
        assert_eq!(kind(&item(false, None, true), out_of_reach), None);
        let being_deleted = Circumstances { being_deleted: true, ..CIRCUMSTANCES };
        assert_eq!(kind(&item(true, None, false), being_deleted), None);
        assert_eq!(kind(&item(false, None, true), being_deleted), None);
        let mut leftover = item(false, None, true);
        let entry = leftover.entry.as_mut().unwrap();
        (entry.good, entry.origin) = (false, holdfast_model::Origin::Attempt);
        assert_eq!(kind(&leftover, CIRCUMSTANCES), None, "nothing relies on it");
    }
}
