//! Calendar periods of a time zone.

use chrono::{Datelike, Timelike};

use super::Keep;
use super::keep_reason::KeepReason;
use crate::{Timestamp, Zone};

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// Identifies one period among those of its length.
///
/// An hour that is repeated when clocks are set back has another offset the second time, so it is another period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Period {
    year: i32,
    /// Number of the day, week or month in the year; 0 for a year.
    number: u32,
    /// Hour of the day; 0 for longer periods.
    hour: u32,
    /// The zone's offset in seconds; 0 for periods longer than an hour.
    offset: i32,
}

impl Length {
    pub(super) const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// The period of this length that contains `at` in `zone`.
    pub(super) fn period(self, at: Timestamp, zone: &Zone) -> Period {
        let local = zone.local(at);
        let of_year = |number| Period { year: local.year(), number, hour: 0, offset: 0 };
        match self {
            Self::Hour => Period {
                hour: local.hour(),
                offset: local.offset().local_minus_utc(),
                ..of_year(local.ordinal())
            },
            Self::Day => of_year(local.ordinal()),
            // A week around New Year belongs to one of the two years, which ISO 8601 defines.
            Self::Week => {
                let week = local.iso_week();
                Period { year: week.year(), ..of_year(week.week()) }
            }
            Self::Month => of_year(local.month()),
            Self::Year => of_year(0),
        }
    }

    /// The number of periods that the rule keeps, and the reason it then gives.
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
