//! What is written down beside the runs: things that people did or found.

use serde::{Deserialize, Serialize};

use crate::{BackupFacts, BackupId, NativeSchedule, StorageName};

/// Something that somebody did or found about an app or a backup of it. It is kept as a run that has ended, as missed ticks are, so
/// that the audit has one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OperatorAction {
    /// Somebody was shown the SAS that Azure keeps with it.
    Revealed {
        /// The backup.
        backup: BackupId,
    },
    /// It must not be deleted from here on.
    Held {
        /// The backup.
        backup: BackupId,
        /// Why.
        reason: String,
    },
    /// The hold is over.
    Released {
        /// The backup.
        backup: BackupId,
        /// Why.
        reason: String,
    },
    /// Holdfast keeps it from here on, though somebody else took it.
    TakenOver {
        /// The backup.
        backup: BackupFacts,
        /// Where it lies.
        storage: StorageName,
    },
    /// It was checked, and is there.
    Verified {
        /// The backup.
        backup: BackupId,
        /// The blob's size, where storage could be asked.
        size_bytes: Option<i64>,
    },
    /// It was checked, and is not there, or not whole.
    Lost {
        /// The backup.
        backup: BackupId,
        /// What is missing.
        detail: String,
    },
    /// Azure's own schedule of the app was held against the policy's.
    Drift {
        /// The schedule that Azure has.
        found: Option<NativeSchedule>,
        /// What differs, in words; nothing when all is as it should be.
        drift: Vec<String>,
    },
}

impl OperatorAction {
    /// The backup it is about, if it is about one.
    pub fn backup(&self) -> Option<BackupId> {
        match self {
            Self::Revealed { backup }
            | Self::Held { backup, .. }
            | Self::Released { backup, .. }
            | Self::Verified { backup, .. }
            | Self::Lost { backup, .. } => Some(*backup),
            Self::TakenOver { backup, .. } => Some(backup.id),
            Self::Drift { .. } => None,
        }
    }

    /// The word in rows and on screen.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Revealed { .. } => "revealed",
            Self::Held { .. } => "held",
            Self::Released { .. } => "released",
            Self::TakenOver { .. } => "taken_over",
            Self::Verified { .. } => "verified",
            Self::Lost { .. } => "lost",
            Self::Drift { .. } => "drift",
        }
    }
}
