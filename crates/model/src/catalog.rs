//! The catalog: every backup that Holdfast knows, existing or removed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;
use crate::{AppId, BackupFacts, PolicyName, RunId, SasFacts, StorageName, Timestamp, retention};

/// A backup that Holdfast knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatalogEntry {
    /// The app the backup is of.
    pub app: AppId,
    /// The run that created it, or the operator action that adopted it.
    pub run: RunId,
    /// The policy under which it was created.
    pub policy: Option<PolicyName>,
    /// The storage that holds its blob.
    pub storage: StorageName,
    /// What Azure reported about it.
    pub backup: BackupFacts,
    /// How it was created.
    pub origin: Origin,
    /// Whether it counts for the recovery point objective, by the policy snapshot of its run.
    pub good: bool,
    /// The SAS that Azure stores with it and deletes it with, if known.
    pub sas: Option<SasFacts>,
    /// The reason of its hold; `None` without a hold.
    pub hold: Option<String>,
    /// When and how it was removed; `None` while it exists.
    pub removal: Option<Removal>,
    /// When a deletion or a refresh of its SAS last failed.
    pub last_failure_at: Option<Timestamp>,
    /// When its blob was last verified.
    pub verified_at: Option<Timestamp>,
    /// When a drill of it last ended, and whether it passed.
    pub drill: Option<(Timestamp, bool)>,
    /// How Azure's list last differed from its record; `None` where it never did.
    pub change: Option<BackupChange>,
}

impl CatalogEntry {
    /// An entry of a backup that exists, without a policy, SAS, hold or verification.
    ///
    /// A backup that succeeded or was taken over is good.
    pub fn new(app: AppId, run: RunId, storage: StorageName, backup: BackupFacts, origin: Origin) -> Self {
        Self {
            app,
            run,
            policy: None,
            storage,
            backup,
            origin,
            good: matches!(origin, Origin::Succeeded | Origin::TakenOver),
            sas: None,
            hold: None,
            removal: None,
            last_failure_at: None,
            verified_at: None,
            drill: None,
            change: None,
        }
    }

    /// Whether an app can rely on it as its last backup. Leftovers of failed or lost attempts do not count.
    pub fn is_counted_on(&self) -> bool {
        self.good || self.origin == Origin::Partial || self.is_good_once_verified()
    }

    /// Whether it changed at Azure, and counts again as soon as its blob is verified.
    pub fn is_good_once_verified(&self) -> bool {
        self.change.as_ref().is_some_and(|change| change.good_once_verified == Some(true))
    }

    /// Whether it replaces `other` as the app's backup.
    ///
    /// Only a good one replaces a good one, or one that is good once it is verified, and only a verified one a verified one.
    pub fn stands_in_for(&self, other: &Self) -> bool {
        (self.good || !(other.good || other.is_good_once_verified()))
            && (self.is_verified() || !other.is_verified())
    }

    /// Whether its blob was read and was whole.
    pub fn is_verified(&self) -> bool {
        self.verified_at.is_some()
    }

    /// The part that retention decides on. `stays` says that nothing is deleting it.
    pub fn for_retention(&self, stays: bool) -> retention::Backup {
        retention::Backup {
            id: self.backup.id,
            accepted_at: self.backup.accepted_at,
            good: self.good,
            verified: self.is_verified(),
            held: self.hold.is_some(),
            ours: stays,
        }
    }
}

/// A difference between the record of a backup and Azure's list.
///
/// A backup that changed is not good until its blob is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupChange {
    /// When a check found it.
    pub at: Timestamp,
    /// The differences that the record does not follow, each as text.
    pub differences: Vec<String>,
    /// Whether the backup counts as good once its blob is verified; `None` once it was.
    pub good_once_verified: Option<bool>,
}

words! {
    /// How a backup was created.
    pub enum Origin {
        /// A run that succeeded.
        Succeeded,
        /// A run that ended with a partial backup.
        Partial,
        /// An attempt that failed: partial, not trusted, or too late.
        Attempt,
        /// An attempt that was given up as lost.
        Orphan,
        /// Created outside Holdfast, then taken over.
        TakenOver,
    }
}

/// When and how a backup was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removal {
    /// When Holdfast learnt of it.
    pub at: Timestamp,
    /// Whether Holdfast deleted it; otherwise it was found missing.
    pub deleted: bool,
}
