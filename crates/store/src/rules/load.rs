//! Load: what a step needs beside its run.

use std::time::Duration;

use holdfast_model::{BackupFacts, CatalogEntry, Run, RunState, Timestamp, Verification};

use crate::change::{HeldLease, Loaded};
use crate::columns::{Ending, stamp};

/// The app's last good backup run that is a baseline: its state, and when it ended.
#[derive(Debug)]
pub(crate) struct LastGood {
    pub state: RunState,
    pub ended_at: Option<Timestamp>,
}

/// What was read beside a run.
#[derive(Debug, Default)]
pub(crate) struct LoadFacts {
    /// Only for a backup run.
    pub last_good: Option<LastGood>,
    /// The backup that the run is about.
    pub subject: Option<CatalogEntry>,
    /// Only for a deletion.
    pub is_last: bool,
    pub lease: Option<HeldLease>,
}

/// Whether later backups are compared with a backup of this verification. Nothing is known of the size of a backup whose
/// storage never answered. The statements `load` of the SQL stores have the same rule.
pub(crate) fn is_baseline(verification: Option<Verification>) -> bool {
    !matches!(verification, Some(Verification::Unreachable | Verification::Unusable))
}

/// A run with what its next step needs.
pub(crate) fn loaded(run: Run, now: Timestamp, facts: LoadFacts) -> Loaded {
    let LoadFacts { last_good, subject, is_last, lease } = facts;
    let backup = last_good.as_ref().and_then(|last| Ending::of(&last.state).backup);
    let ended_at = last_good.as_ref().and_then(|last| last.ended_at);
    Loaded {
        now,
        lease,
        typical: backup.and_then(|backup| took(backup, ended_at)),
        last_good_bytes: backup.map(|backup| backup.size_bytes),
        subject,
        is_last,
        run,
    }
}

/// How long a finished backup took: to the end that Azure reported, or else to the end of its run.
fn took(backup: &BackupFacts, ended_at: Option<Timestamp>) -> Option<Duration> {
    let end = backup.finished_at.or(ended_at)?;
    stamp(end).signed_duration_since(stamp(backup.accepted_at)).to_std().ok()
}
