//! How the SAS stands with which the backups of an app are written.

use std::time::Duration;

use holdfast_model::Timestamp;
use holdfast_store::AppStatus;
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::condition::Severity;

/// How long before its expiry a SAS is reported.
pub const LAPSING: Duration = Duration::from_hours(7 * 24);

/// How the SAS of an app stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SasState {
    /// It has expired.
    Lapsed,
    /// It expires within a week, and people must renew it.
    Lapsing,
    /// It is valid for more than a week.
    Valid,
    /// Holdfast mints a new one before each backup that needs it, so that its expiry is no news.
    Minted,
}

impl SasState {
    /// The state of an app's SAS; `None` where its expiry is not known, or the app left the fleet. `is_minted` says that Holdfast mints
    /// the SAS of its storage.
    pub fn of(status: &AppStatus, is_minted: bool, now: Timestamp) -> Option<Self> {
        let expiry = status.sas_expiry.filter(|_| !status.removed)?;
        Some(match () {
            () if is_minted => Self::Minted,
            () if expiry <= now => Self::Lapsed,
            () if expiry <= now + LAPSING => Self::Lapsing,
            () => Self::Valid,
        })
    }

    /// Whether people should renew it.
    pub fn needs_attention(self) -> bool {
        matches!(self, Self::Lapsed | Self::Lapsing)
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::Lapsed => Severity::Bad,
            Self::Lapsing => Severity::Warn,
            Self::Valid | Self::Minted => Severity::Muted,
        }
    }

    /// The state in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lapsed => "lapsed",
            Self::Lapsing => "lapsing",
            Self::Valid => "valid",
            Self::Minted => "minted",
        }
    }
}
