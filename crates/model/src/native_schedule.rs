//! Azure's own backup schedule of an app, which Azure runs without Holdfast.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::{EnumCount, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use crate::Timestamp;
use crate::words::words;

/// Azure's own backup schedule of an app, with the types of the service.
///
/// Source: `BackupSchedule` in Azure/azure-rest-api-specs, `specification/web/resource-manager/Microsoft.Web/AppService`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NativeSchedule {
    /// Whether Azure runs it. Enabling a schedule starts a backup at once.
    pub enabled: bool,
    /// Units between two backups.
    pub every: u32,
    /// The unit of `every`.
    pub unit: FrequencyUnit,
    /// Days that Azure keeps its own backups; 0 is forever.
    pub retention_days: u32,
    /// Whether Azure keeps the last backup however old it is.
    pub keep_at_least_one: bool,
    /// The first time; Azure uses its current time without one.
    pub start: Option<Timestamp>,
}

/// The unit of a schedule, as Azure names it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumCount,
    IntoStaticStr,
    VariantArray,
    ToSchema,
)]
pub enum FrequencyUnit {
    /// Days.
    Day,
    /// Hours.
    Hour,
}

words!(FrequencyUnit);

impl NativeSchedule {
    /// An enabled schedule with a backup each `every` days, kept 30 days, at least one of them forever.
    pub const fn days(every: u32) -> Self {
        Self {
            enabled: true,
            every,
            unit: FrequencyUnit::Day,
            retention_days: 30,
            keep_at_least_one: true,
            start: None,
        }
    }

    /// Time between two backups.
    pub fn period(&self) -> Duration {
        let hours = match self.unit {
            FrequencyUnit::Day => 24,
            FrequencyUnit::Hour => 1,
        };
        Duration::from_hours(u64::from(self.every) * hours)
    }

    /// The same schedule, starting at its first time after `now`.
    ///
    /// Azure may start a backup at once for a schedule whose start is in the past.
    #[must_use]
    pub fn from_now_on(self, now: Timestamp) -> Self {
        let Some(start) = self.start.filter(|start| *start <= now) else { return self };
        let period = millis(self.period());
        let periods = (now - start).num_milliseconds() / period + 1;
        Self { start: start.checked_add_signed(TimeDelta::milliseconds(periods * period)), ..self }
    }

    /// Each difference of `azures` from this schedule, as text; empty when there is none.
    ///
    /// Azure sets a start where none is requested, and a start some whole periods later is no difference. Starts are
    /// compared by the second, as they are sent.
    pub fn drift(&self, azures: &Self) -> Vec<String> {
        let mut drift = Vec::new();
        let mut differs = |what: &str, ours: String, theirs: String| {
            if ours != theirs {
                drift.push(format!("{what} is {theirs} and should be {ours}"));
            }
        };
        differs("enabled", self.enabled.to_string(), azures.enabled.to_string());
        let frequency = |of: &Self| format!("{} {}", of.every, of.unit.as_str());
        differs("frequency", frequency(self), frequency(azures));
        differs("retention_days", self.retention_days.to_string(), azures.retention_days.to_string());
        differs(
            "keep_at_least_one",
            self.keep_at_least_one.to_string(),
            azures.keep_at_least_one.to_string(),
        );
        if let Some(start) = self.start.filter(|start| !self.is_a_time(*start, azures.start)) {
            let theirs = azures.start.map_or("none".to_owned(), |start| start.to_rfc3339());
            differs("start", start.to_rfc3339(), theirs);
        }
        drift
    }

    /// Whether `other` is a whole number of periods away from `start`.
    fn is_a_time(&self, start: Timestamp, other: Option<Timestamp>) -> bool {
        let apart = |other: Timestamp| other.timestamp() - start.timestamp();
        other.is_some_and(|other| apart(other) % (millis(self.period()) / 1_000).max(1) == 0)
    }
}

/// The period in milliseconds, at least 1 so that it can be a divisor.
fn millis(period: Duration) -> i64 {
    i64::try_from(period.as_millis()).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekly(start: Option<Timestamp>) -> NativeSchedule {
        NativeSchedule { start, ..NativeSchedule::days(7) }
    }

    fn day(day: i64) -> Option<Timestamp> {
        Timestamp::from_timestamp(day * 86_400, 0)
    }

    #[test]
    fn a_start_that_is_past_moves_on_by_whole_periods_and_is_no_drift() {
        let ours = weekly(day(3));
        for (now, start) in [(0, 3), (2, 3), (3, 10), (4, 10), (10, 17), (60, 66)] {
            let moved = ours.clone().from_now_on(day(now).unwrap());
            assert_eq!(moved.start, day(start), "on day {now}");
            assert_eq!(ours.drift(&moved), Vec::<String>::new());
        }
        assert_eq!(weekly(None).from_now_on(day(9).unwrap()), weekly(None));
        assert_eq!(ours.drift(&weekly(day(4))).len(), 1);
        assert_eq!(ours.drift(&weekly(None)).len(), 1);
    }

    #[test]
    fn a_start_is_compared_by_the_second() {
        let ours = weekly(day(3));
        let half_a_second = day(3).map(|start| start + TimeDelta::milliseconds(512));
        assert_eq!(ours.drift(&weekly(half_a_second)), Vec::<String>::new());
        assert_eq!(ours.drift(&weekly(day(3).map(|start| start + TimeDelta::seconds(1)))).len(), 1);
    }

    #[test]
    fn drift_names_what_differs_and_a_start_that_azure_chose_is_none() {
        let ours = weekly(None);
        let theirs = NativeSchedule { start: Some(Timestamp::UNIX_EPOCH), ..ours.clone() };
        assert_eq!(ours.drift(&theirs), Vec::<String>::new());
        let theirs = NativeSchedule { every: 1, enabled: false, ..theirs };
        assert_eq!(
            ours.drift(&theirs),
            ["enabled is false and should be true", "frequency is 1 Day and should be 7 Day"]
        );
    }
}
