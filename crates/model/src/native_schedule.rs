//! Azure's own schedule of an app: one that Azure runs by itself, beside Holdfast's or in its stead.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Azure's own schedule, typed as the service wants it (`BackupSchedule` in Azure/azure-rest-api-specs,
/// `specification/web/resource-manager/Microsoft.Web/AppService`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeSchedule {
    /// Whether Azure runs it. Enabling one fires a backup at once.
    pub enabled: bool,
    /// Every so many units.
    pub every: u32,
    /// Of these.
    pub unit: FrequencyUnit,
    /// Azure keeps its own backups for so many days; 0 is for ever.
    pub retention_days: u32,
    /// Whether Azure keeps the last one however old.
    pub keep_at_least_one: bool,
    /// From when on; Azure takes its own now when there is none.
    pub start: Option<Timestamp>,
}

/// The unit of a schedule, in Azure's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FrequencyUnit {
    /// Days.
    Day,
    /// Hours.
    Hour,
}

impl FrequencyUnit {
    /// Azure's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "Day",
            Self::Hour => "Hour",
        }
    }
}

impl NativeSchedule {
    /// How long it is from one backup to the next.
    pub fn period(&self) -> Duration {
        let hours = match self.unit {
            FrequencyUnit::Day => 24,
            FrequencyUnit::Hour => 1,
        };
        Duration::from_hours(u64::from(self.every) * hours)
    }

    /// The same schedule with its start at its first time after `now`: setting one whose start is past may fire a
    /// backup at once.
    #[must_use]
    pub fn from_now_on(self, now: Timestamp) -> Self {
        let Some(start) = self.start.filter(|start| *start <= now) else { return self };
        let period = millis(self.period());
        let periods = (now - start).num_milliseconds() / period + 1;
        Self { start: start.checked_add_signed(TimeDelta::milliseconds(periods * period)), ..self }
    }

    /// What differs in `azures` from this schedule, in words; empty when it does what this one asks. Azure sets the
    /// start itself where none is asked for, and one that is some periods later is the same.
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

    /// Is `other` some periods after or before `start`?
    fn is_a_time(&self, start: Timestamp, other: Option<Timestamp>) -> bool {
        other.is_some_and(|other| (other - start).num_milliseconds() % millis(self.period()) == 0)
    }
}

/// At least one, so that it can divide.
fn millis(period: Duration) -> i64 {
    i64::try_from(period.as_millis()).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekly(start: Option<Timestamp>) -> NativeSchedule {
        NativeSchedule {
            enabled: true,
            every: 7,
            unit: FrequencyUnit::Day,
            retention_days: 30,
            keep_at_least_one: true,
            start,
        }
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
