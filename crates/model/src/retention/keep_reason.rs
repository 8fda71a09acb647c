//! Why retention keeps a backup.

use strum::{EnumCount, IntoStaticStr, VariantArray};

use crate::words::words;

/// Why a backup is kept. Where several reasons apply, the first in this order is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumCount, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum KeepReason {
    /// It is foreign or being deleted.
    NotOurs,
    /// It is newer than the clock, so one of the two is wrong.
    Future,
    /// A hold protects it.
    Held,
    /// It is no older than the rule's days.
    Young,
    /// It is the last good one.
    LastGood,
    /// It is the last good one whose blob was verified, and the last good one was not verified.
    LastVerified,
    /// It is one of the newest `keep_at_least` good ones.
    AtLeast,
    /// It is the last good one of its hour.
    Hourly,
    /// It is the last good one of its day.
    Daily,
    /// It is the last good one of its week.
    Weekly,
    /// It is the last good one of its month.
    Monthly,
    /// It is the last good one of its year.
    Yearly,
    /// It is the last partial one of an app without a good one.
    LastPartial,
    /// A kept backup has the same number, so a deletion by number could hit that one.
    SameNumber,
}

words!(KeepReason);
