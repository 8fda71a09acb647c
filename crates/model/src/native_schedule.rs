//! Azure's own schedule of an app: one that Azure runs by itself, beside Holdfast's or in its stead.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Azure's own schedule, typed as the service wants it (`azure/wire.md`, section 1, BackupSchedule).
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
    /// What differs in `azures` from this schedule, in words; empty when it does what this one asks. Azure sets the
    /// start itself where none is asked for.
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
        if let Some(start) = self.start {
            let theirs = azures.start.map_or("none".to_owned(), |start| start.to_rfc3339());
            differs("start", start.to_rfc3339(), theirs);
        }
        drift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_names_what_differs_and_a_start_that_azure_chose_is_none() {
        let ours = NativeSchedule {
            enabled: true,
            every: 7,
            unit: FrequencyUnit::Day,
            retention_days: 30,
            keep_at_least_one: true,
            start: None,
        };
        let theirs = NativeSchedule { start: Some(Timestamp::UNIX_EPOCH), ..ours.clone() };
        assert_eq!(ours.drift(&theirs), Vec::<String>::new());
        let theirs = NativeSchedule { every: 1, enabled: false, ..theirs };
        assert_eq!(
            ours.drift(&theirs),
            ["enabled is false and should be true", "frequency is 1 Day and should be 7 Day"]
        );
    }
}
