//! Permissions: the acts that roles differ in.

use std::fmt;

use strum::IntoStaticStr;

/// A kind of act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Permission {
    /// Read pages and lists.
    View,
    /// Back up apps now.
    BackUp,
    /// Start a failed run again.
    Retry,
    /// End a run before its time.
    Cancel,
    /// Suspend and resume the scheduled runs of an app.
    Pause,
    /// Mark a failure as seen.
    Acknowledge,
    /// Keep a backup from being deleted.
    Hold,
    /// Restore a backup into a scratch app.
    Drill,
    /// Restore a backup into an app.
    Restore,
    /// Delete a backup.
    Delete,
    /// Show the SAS that Azure keeps with a backup.
    RevealSas,
    /// Lift a hold.
    ReleaseHold,
    /// Make a revision of the fleet.
    ChangeFleet,
    /// Sign a checkpoint of the audit.
    SignCheckpoint,
    /// Create, list and revoke API tokens.
    ManageTokens,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 15] = [
        Self::View,
        Self::BackUp,
        Self::Retry,
        Self::Cancel,
        Self::Pause,
        Self::Acknowledge,
        Self::Hold,
        Self::Drill,
        Self::Restore,
        Self::Delete,
        Self::RevealSas,
        Self::ReleaseHold,
        Self::ChangeFleet,
        Self::SignCheckpoint,
        Self::ManageTokens,
    ];

    /// Whether it changes nothing.
    pub fn only_reads(self) -> bool {
        self == Self::View
    }

    /// The permission's name in messages.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
