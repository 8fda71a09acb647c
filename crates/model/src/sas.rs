//! When a SAS is valid, and what is recorded when one is replaced. Never the SAS itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;
use crate::{BackupId, StorageName, Timestamp};

/// The time span in which a SAS is valid.
///
/// Without a start it is valid from the beginning. Without an expiry a stored access policy on the container
/// decides, and the expiry is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SasWindow {
    /// `st`: valid from this time.
    pub start: Option<Timestamp>,
    /// `se`: invalid from this time.
    pub expiry: Option<Timestamp>,
}

impl SasWindow {
    /// Minimum time before its expiry at which a SAS stored at Azure is replaced.
    pub const RENEWED_BEFORE: Duration = Duration::from_hours(6);

    /// Tolerance for differences between the clocks of Azure's machines.
    pub const CLOCK_SKEW: Duration = Duration::from_mins(5);

    /// Whether it has started at `now`.
    pub fn has_begun(&self, now: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= now)
    }

    /// Whether it has expired at `now`.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expiry.is_some_and(|expiry| expiry <= now)
    }

    /// Whether it is valid from `now` until [`Self::CLOCK_SKEW`] after `until`.
    ///
    /// Checked before a POST: a backup that outlives its SAS fails only after it has done the work.
    pub fn covers(&self, now: Timestamp, until: Timestamp) -> bool {
        self.has_begun(now) && self.expiry.is_none_or(|expiry| until + Self::CLOCK_SKEW <= expiry)
    }

    /// Time until its expiry, at least zero; `None` without an expiry.
    pub fn left(&self, now: Timestamp) -> Option<Duration> {
        self.expiry.map(|expiry| (expiry - now).to_std().unwrap_or_default())
    }
}

/// What may be recorded about a SAS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SasFacts {
    /// The first 12 hex digits of the SHA-256 of the signature: identifies a SAS without revealing it.
    pub fingerprint: String,
    /// When it is valid.
    #[serde(flatten)]
    pub window: SasWindow,
}

words! {
    /// Why a SAS was replaced.
    pub enum RefreshReason {
        /// This process had no SAS yet.
        First,
        /// The current SAS would expire before the attempt's deadline.
        Expiring,
        /// Storage answered 403 or 404 to the current SAS.
        Refused,
        /// A person requested it.
        Asked,
        /// The SAS that Azure stores with a backup was about to expire.
        KeptBackup,
        /// The SAS that Azure stores with its own schedule of an app was about to expire.
        NativeSchedule,
        /// A deletion needs the SAS stored with the backup, which expired or is unknown.
        BeforeDelete,
    }
}

/// One replaced SAS: why, where, the old one and the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SasRefresh {
    /// Which storage of the fleet file.
    pub storage: StorageName,
    /// The container's URL without a query.
    pub container: String,
    /// Why it was replaced.
    pub reason: RefreshReason,
    /// The SAS before; `None` when this process had none.
    pub old: Option<SasFacts>,
    /// The SAS now in use.
    pub new: SasFacts,
    /// The backup that Azure stores it with; `None` for the SAS that new backups are written with.
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
