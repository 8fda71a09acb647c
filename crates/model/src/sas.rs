//! The life of a SAS: when it holds, and what is recorded when one is replaced. Never the SAS itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{BackupId, StorageName, Timestamp};

/// The span in which a SAS is valid. A missing start means from ever; a missing expiry means that a stored access
/// policy on the container holds it, and nothing here can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SasWindow {
    /// `st`: valid from here on.
    pub start: Option<Timestamp>,
    /// `se`: not valid from here on.
    pub expiry: Option<Timestamp>,
}

impl SasWindow {
    /// How long before it lapses a SAS that Azure keeps is replaced, at the least.
    pub const RENEWED_BEFORE: Duration = Duration::from_hours(6);

    /// Clocks of Azure's machines differ; a SAS that starts or ends within this of a bound is not relied on.
    pub const CLOCK_SKEW: Duration = Duration::from_mins(5);

    /// Has it begun at `now`?
    pub fn has_begun(&self, now: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= now)
    }

    /// Has it ended at `now`?
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expiry.is_some_and(|expiry| expiry <= now)
    }

    /// Does it hold from `now` until `until` and a clock's difference beyond? Used before a POST: a backup that
    /// outlives its SAS fails when it has already done the work.
    pub fn covers(&self, now: Timestamp, until: Timestamp) -> bool {
        self.has_begun(now) && self.expiry.is_none_or(|expiry| until + Self::CLOCK_SKEW <= expiry)
    }

    /// How much of its life is left; `None` when no expiry is known.
    pub fn left(&self, now: Timestamp) -> Option<Duration> {
        self.expiry.map(|expiry| (expiry - now).to_std().unwrap_or_default())
    }
}

/// What may be known and written down about a SAS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SasFacts {
    /// The first 12 hex digits of the SHA-256 of the signature: tells two SAS apart and gives nothing away.
    pub fingerprint: String,
    /// When it holds.
    #[serde(flatten)]
    pub window: SasWindow,
}

/// Why a SAS was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshReason {
    /// This process had none yet.
    First,
    /// The one at hand would lapse before the attempt's deadline.
    Expiring,
    /// Storage answered 403 or 404 to the one at hand.
    Refused,
    /// Somebody asked for it.
    Asked,
    /// Azure keeps it with a backup, and it would lapse there.
    KeptBackup,
    /// Azure keeps it with its own schedule of an app, and it would lapse there.
    NativeSchedule,
    /// Azure deletes a backup with the SAS it keeps, which has lapsed or is not known.
    BeforeDelete,
}

impl RefreshReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::First,
        Self::Expiring,
        Self::Refused,
        Self::Asked,
        Self::KeptBackup,
        Self::NativeSchedule,
        Self::BeforeDelete,
    ];

    /// The word in rows and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Expiring => "expiring",
            Self::Refused => "refused",
            Self::Asked => "asked",
            Self::KeptBackup => "kept_backup",
            Self::NativeSchedule => "native_schedule",
            Self::BeforeDelete => "before_delete",
        }
    }
}

/// One SAS replaced: the row that tells why, where, and which one gave way to which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SasRefresh {
    /// Which storage of the fleet file.
    pub storage: StorageName,
    /// The container's URL without a query.
    pub container: String,
    /// Why it was replaced.
    pub reason: RefreshReason,
    /// The one before; `None` when this process had none.
    pub old: Option<SasFacts>,
    /// The one now in use.
    pub new: SasFacts,
    /// The backup that Azure keeps it with; `None` for the one that new backups are written with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupId>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).unwrap()
    }

    proptest! {
        #[test]
        fn a_sas_that_covers_a_span_is_valid_at_each_of_its_ends(
            start in proptest::option::of(0_i64..10_000), expiry in proptest::option::of(0_i64..10_000),
            now in 0_i64..10_000, length in 0_i64..10_000,
        ) {
            let window = SasWindow { start: start.map(at), expiry: expiry.map(at) };
            if window.covers(at(now), at(now + length)) {
                for moment in [at(now), at(now + length)] {
                    prop_assert!(window.has_begun(moment) && !window.has_expired(moment));
                }
            }
        }
    }

    #[test]
    fn a_sas_that_ends_within_the_clocks_difference_does_not_cover() {
        let window = SasWindow { start: None, expiry: Some(at(1_000)) };
        assert!(window.covers(at(0), at(700)));
        assert!(!window.covers(at(0), at(701)));
        assert_eq!(window.left(at(400)), Some(Duration::from_mins(10)));
        assert_eq!(window.left(at(4_000)), Some(Duration::ZERO));
    }

    #[test]
    fn without_an_expiry_only_the_start_can_refuse() {
        let window = SasWindow { start: Some(at(10)), expiry: None };
        assert!(!window.covers(at(9), at(20)));
        assert!(window.covers(at(10), at(1_000_000)));
    }
}
