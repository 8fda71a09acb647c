//! The catalog: every backup that Holdfast knows of, and what became of it.

use serde::{Deserialize, Serialize};

use crate::{AppId, BackupFacts, PolicyName, RunId, SasFacts, StorageName, Timestamp};

/// A backup that Holdfast knows of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEntry {
    /// Whose backup.
    pub app: AppId,
    /// The run that made it, or that wrote down that it is ours.
    pub run: RunId,
    /// The policy it was made under.
    pub policy: Option<PolicyName>,
    /// Where it lies.
    pub storage: StorageName,
    /// What Azure told of it.
    pub backup: BackupFacts,
    /// How it came to be.
    pub origin: Origin,
    /// Whether it counts for the recovery point objective, by the policy snapshot it was made under.
    pub good: bool,
    /// The SAS that Azure keeps with it, as far as it is known: Azure deletes it with this one.
    pub sas: Option<SasFacts>,
    /// Why it must not be deleted.
    pub hold: Option<String>,
    /// What became of it, once it is no longer there.
    pub removal: Option<Removal>,
    /// When a deletion or a refresh of its SAS last ended otherwise than well.
    pub last_failure_at: Option<Timestamp>,
    /// When it was last found whole.
    pub verified_at: Option<Timestamp>,
    /// When a drill of it last ended, and whether it passed.
    pub drill: Option<(Timestamp, bool)>,
}

impl CatalogEntry {
    /// May it be the last that an app has to be brought back with? What an attempt left without a run's word on it is
    /// not counted on.
    pub fn is_counted_on(&self) -> bool {
        self.good || self.origin == Origin::Partial
    }

    /// Does it make up for the loss of `other`? For a good backup only a good one does.
    pub fn stands_in_for(&self, other: &Self) -> bool {
        self.good || !other.good
    }
}

/// How a backup came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A run's whole backup.
    Succeeded,
    /// A run's best, with something missing.
    Partial,
    /// Left over from an attempt that failed: partial, not trusted, or too late.
    Attempt,
    /// Origin by an attempt that was given up as lost.
    Orphan,
    /// Somebody else took it, and Holdfast was told to keep it.
    TakenOver,
}

/// How a backup ceased to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Since when that is known.
    pub at: Timestamp,
    /// Whether Holdfast deleted it; else it was found missing.
    pub deleted: bool,
}

impl Origin {
    /// The word in rows and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Attempt => "attempt",
            Self::Orphan => "orphan",
            Self::TakenOver => "taken_over",
        }
    }
}
