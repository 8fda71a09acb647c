//! The periods that a backup falls into.

use chrono::{Datelike, Offset, Timelike};
use chrono_tz::Tz;

use super::{Keep, KeepReason};
use crate::Timestamp;

/// A length of period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// One period among those of its length: the year, its number in the year, and for an hour also the hour and the
/// zone's offset in seconds.
///
/// An hour that is repeated when clocks are set back has another offset the second time, and is another hour.
pub(super) type Period = (i32, u32, u32, i32);

impl Length {
    pub(super) const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// The period of this length that `at` lies in, by the clocks of `zone`.
    pub(super) fn period(self, at: Timestamp, zone: Tz) -> Period {
        let local = at.with_timezone(&zone);
        match self {
            Self::Hour => {
                (local.year(), local.ordinal(), local.hour(), local.offset().fix().local_minus_utc())
            }
            Self::Day => (local.year(), local.ordinal(), 0, 0),
            // The days around New Year belong to a week of either year: its own year goes with it.
            Self::Week => (local.iso_week().year(), local.iso_week().week(), 0, 0),
            Self::Month => (local.year(), local.month(), 0, 0),
            Self::Year => (local.year(), 0, 0, 0),
        }
    }

    /// How many of them the rule keeps, and the reason that then holds.
    pub(super) fn kept(self, keep: Keep) -> (u32, KeepReason) {
        match self {
            Self::Hour => (keep.hourly, KeepReason::Hourly),
            Self::Day => (keep.daily, KeepReason::Daily),
            Self::Week => (keep.weekly, KeepReason::Weekly),
            Self::Month => (keep.monthly, KeepReason::Monthly),
            Self::Year => (keep.yearly, KeepReason::Yearly),
        }
    }
}
