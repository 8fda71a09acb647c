//! Load: what a step needs beside its run.

use std::time::Duration;

use holdfast_model::{BackupFacts, CatalogEntry, Outcome, Run, RunKind, Timestamp, Verification};

use crate::change::{HeldLease, Loaded};
use crate::columns::{Ending, accepted_at, stamp};

/// A good backup with which later ones are compared.
#[derive(Debug)]
pub(crate) struct Baseline {
    /// From acceptance to the end that Azure reported, or else to the end of its run.
    pub took: Option<Duration>,
    pub size_bytes: Option<i64>,
}

impl Baseline {
    /// The baseline that an ended run of a store without columns is.
    pub fn of(run: &Run) -> Self {
        let backup = Ending::of(&run.state).backup;
        Self {
            took: backup.and_then(|backup| took(backup, run.ended_at)),
            size_bytes: backup.map(|backup| backup.size_bytes),
        }
    }
}

/// What was read beside a run.
#[derive(Debug, Default)]
pub(crate) struct LoadFacts {
    /// The app's last baselines, the newest first. Only for a backup run.
    pub baselines: Vec<Baseline>,
    /// The backup that the run is about.
    pub subject: Option<CatalogEntry>,
    /// Only for a deletion.
    pub is_last: bool,
    pub lease: Option<HeldLease>,
}

/// When Azure accepted the backup of a run, if later backups of the app are compared with it. Nothing is known of the size of a
/// backup whose storage never answered.
pub(crate) fn baseline_at(run: &Run) -> Option<Timestamp> {
    let Ending { outcome, verification, .. } = Ending::of(&run.state);
    let is_baseline = run.task.kind() == RunKind::Backup
        && outcome == Some(Outcome::Succeeded)
        && !matches!(verification, Some(Verification::Unreachable | Verification::Unusable));
    accepted_at(&run.state).filter(|_| is_baseline)
}

/// A run with what its next step needs.
pub(crate) fn loaded(run: Run, now: Timestamp, facts: LoadFacts) -> Loaded {
    let LoadFacts { baselines, subject, is_last, lease } = facts;
    Loaded {
        now,
        lease,
        durations: baselines.iter().filter_map(|baseline| baseline.took).collect(),
        last_good_bytes: baselines.first().and_then(|last| last.size_bytes),
        subject,
        is_last,
        run,
    }
}

fn took(backup: &BackupFacts, ended_at: Option<Timestamp>) -> Option<Duration> {
    let end = backup.finished_at.or(ended_at)?;
    stamp(end).signed_duration_since(stamp(backup.accepted_at)).to_std().ok()
}
