//! Who requests a run, and which run goes first.

use crate::RunKind;
use crate::words::words;

words! {
    /// Who requests a run.
    pub enum Trigger {
        /// A tick, on time.
        Schedule,
        /// A tick, after a gap.
        CatchUp,
        /// A person.
        Manual,
        /// The policy, other than by a tick: retention, a SAS about to expire, a drill.
        Policy,
    }
}

words! {
    /// The order of admission among due runs; the smaller goes first.
    pub enum Priority {
        /// A restore: an app is down until it ends.
        Restore,
        /// A person waits for the run.
        Manual,
        /// A backup of a schedule.
        Scheduled,
        /// Maintenance: deletions, SAS refreshes and drills that a policy requests.
        Retention,
    }
}
impl Priority {
    /// The priority of a run of `kind` that `trigger` requests.
    pub fn of(kind: RunKind, trigger: Trigger) -> Self {
        match (kind, trigger) {
            (RunKind::Restore, _) => Self::Restore,
            (_, Trigger::Manual) => Self::Manual,
            (RunKind::Backup, _) => Self::Scheduled,
            (_, _) => Self::Retention,
        }
    }

    /// The number in rows; the smaller goes first.
    pub fn rank(self) -> i64 {
        match self {
            Self::Restore => 0,
            Self::Manual => 1,
            Self::Scheduled => 2,
            Self::Retention => 3,
        }
    }
}
