//! Who requests a run, and which run goes first.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, IntoStaticStr, VariantArray};

use crate::RunKind;
use crate::words::words;

/// Who requests a run.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumCount,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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

/// The order of admission among due runs; the smaller goes first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumCount,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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

words!(Trigger);
words!(Priority);

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
