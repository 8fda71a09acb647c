//! The changes of the catalog that events make.

use holdfast_model::{AppId, BackupFacts, BackupId, CatalogEntry, Removal, SasFacts, Timestamp};

/// An app and Azure's number for one of its backups.
pub(crate) type Number = (AppId, BackupId);

/// The backup that a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub app: AppId,
    pub id: BackupId,
    /// Its blob, where that is known; else the change is about the current backup of the number.
    pub blob: Option<String>,
}

/// A change of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CatalogChange {
    /// Adds an entry, or what is newly known of it, at a time.
    Put(Box<CatalogEntry>, Timestamp),
    /// Records the SAS that Azure keeps with it.
    Sas(Subject, SasFacts),
    /// Holds it, for this reason.
    Hold(Subject, String),
    /// Ends the holds of every backup of the number.
    Release(Subject),
    /// Marks it as removed.
    Removal(Subject, Removal),
    /// Records that a deletion, or a refresh of its SAS, did not succeed.
    Failure(Subject, Timestamp),
    /// Records that it is there. A time is when its blob was read.
    Found(Subject, Option<Timestamp>),
    /// Records that Azure lists it otherwise than before.
    Changed(Subject, Box<Listed>),
    /// Adds a backup of a run that had ended, or completes the entry of that backup.
    Late(Box<CatalogEntry>, Timestamp),
    /// Records the end of a drill, and whether it passed.
    Drilled(Subject, Timestamp, bool),
}

/// What Azure lists of a backup that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub at: Timestamp,
    pub backup: BackupFacts,
    /// The differences that the entry does not follow.
    pub differences: Vec<String>,
}

/// A change, and the event that causes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caused {
    pub change: CatalogChange,
    /// The event's place in the audit.
    pub seq: i64,
}

impl CatalogChange {
    /// The same change, by a run that found the backup whole.
    pub fn verified(mut self, at: Timestamp) -> Self {
        if let Self::Put(entry, _) = &mut self {
            entry.verified_at = Some(at);
        }
        self
    }

    /// The app and Azure's number of the backup.
    pub fn number(&self) -> Number {
        match self {
            Self::Put(entry, _) | Self::Late(entry, _) => (entry.app.clone(), entry.backup.id),
            Self::Sas(of, _)
            | Self::Hold(of, _)
            | Self::Release(of)
            | Self::Removal(of, _)
            | Self::Failure(of, _)
            | Self::Found(of, _)
            | Self::Changed(of, _)
            | Self::Drilled(of, _, _) => (of.app.clone(), of.id),
        }
    }
}
