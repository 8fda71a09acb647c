//! The native schedule of an app.

use std::time::Duration;

use holdfast_model::{DatabaseFacts, FrequencyUnit, NativeSchedule, Timestamp};
use secrecy::SecretString;

/// A schedule that was set.
pub(super) struct Schedule {
    pub(super) facts: NativeSchedule,
    pub(super) storage_url: SecretString,
    pub(super) databases: Vec<DatabaseFacts>,
    /// The name from the request, or the app's name.
    pub(super) backup_name: String,
    pub(super) last_execution: Option<Timestamp>,
    /// The version, which distinguishes it from earlier schedules.
    pub(super) version: u64,
}

impl Schedule {
    pub(super) fn new(
        facts: NativeSchedule,
        storage_url: SecretString,
        databases: Vec<DatabaseFacts>,
        backup_name: String,
    ) -> Self {
        Self { facts, storage_url, databases, backup_name, last_execution: None, version: 0 }
    }

    pub(super) fn every(&self) -> Duration {
        let unit = match self.facts.unit {
            FrequencyUnit::Day => 24,
            FrequencyUnit::Hour => 1,
        };
        Duration::from_hours(u64::from(self.facts.every) * unit)
    }
}
