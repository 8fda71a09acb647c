//! A backup, and what Azure shows of it at a given time.

use std::time::Duration;

use holdfast_model::{BackupId, DatabaseFacts, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::stamp::without_zone;
use crate::{End, Pace};

/// A status that no documentation lists, in place of all such statuses.
const UNKNOWN_WORD: &str = "Compacting";

/// A backup that was accepted. Connection strings are not kept.
pub(super) struct Backup {
    pub(super) id: BackupId,
    pub(super) name: String,
    pub(super) storage_url: SecretString,
    pub(super) databases: Vec<DatabaseFacts>,
    /// Whether the backup leaves its databases out.
    pub(super) databases_dropped: bool,
    /// Whether the native schedule started it.
    pub(super) scheduled: bool,
    pub(super) correlation_id: String,
    pub(super) created: Timestamp,
    /// When it appears in lists.
    pub(super) listed_from: Timestamp,
    /// When `Created` becomes `InProgress`.
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
    /// Its decided end, unless storage refuses it.
    pub(super) end: End,
    /// Its actual end.
    pub(super) outcome: Option<Outcome>,
    pub(super) deletion: Option<Deletion>,
    /// When it was last restored.
    pub(super) restored_at: Option<Timestamp>,
}

/// The progress of a backup's deletion.
pub(super) enum Deletion {
    /// `DeleteInProgress`.
    UnderWay {
        /// The SAS that was stored when the DELETE came.
        url: SecretString,
        /// The log of the decided failure.
        failure: Option<String>,
        /// Whether the backup stays listed for a while afterwards.
        lingers: bool,
    },
    /// `DeleteFailed`.
    Failed { log: String },
    /// `Deleted`, and still listed.
    Lingers,
}

/// The end of a backup.
pub(super) struct Outcome {
    pub(super) end: End,
    pub(super) log: String,
    pub(super) finished: Timestamp,
    /// The blob's bytes.
    pub(super) size_bytes: u64,
    /// The site's bytes.
    pub(super) website_size_bytes: u64,
}

/// The response that shows a backup. Its fields differ.
#[derive(Clone, Copy)]
pub(super) enum BackupView {
    /// In the POST's answer: with the SAS, and with a `Z` behind `created`.
    AtPost,
    /// In a GET or a list at this time: neither (azure-cli recordings of 2022 and 2023; azure-powershell #15039).
    Later(Timestamp),
    /// In the answers to a DELETE (azure-cli recording of 2023) and to POST `/backups/ID/list` at this time: with the
    /// SAS.
    WithSecrets(Timestamp),
}

impl Backup {
    /// The value of `properties`.
    pub(super) fn properties(&self, shown: BackupView) -> Value {
        let created = without_zone(self.created);
        let created = if matches!(shown, BackupView::AtPost) { format!("{created}Z") } else { created };
        let storage_url = match shown {
            BackupView::AtPost | BackupView::WithSecrets(_) => self.storage_url.expose_secret(),
            BackupView::Later(_) => "",
        };
        let blob = match shown {
            BackupView::Later(now) | BackupView::WithSecrets(now) if now >= self.starts_at => self.blob(),
            _ => self.name.clone(),
        };
        let outcome = self.outcome.as_ref();
        let mut properties = json!({
            "id": self.id.0,
            "storageAccountUrl": storage_url,
            "blobName": blob,
            "name": self.name,
            "backupName": self.name,
            "status": self.status(shown),
            "sizeInBytes": outcome.map_or(0, |o| o.size_bytes),
            "created": created,
            "log": self.log(),
            "databases": self.databases_shown(),
            "scheduled": self.scheduled,
            "correlationId": self.correlation_id,
            "websiteSizeInBytes": outcome.map(|o| o.website_size_bytes),
        });
        // Keys of times are not there until the time is known.
        if let Some(outcome) = outcome.filter(|o| o.end != End::UnknownWordForEver) {
            properties["finishedTimeStamp"] = json!(without_zone(outcome.finished));
        }
        if let Some(restored_at) = self.restored_at {
            properties["lastRestoreTimeStamp"] = json!(without_zone(restored_at));
        }
        properties
    }

    /// The name of its archive.
    pub(super) fn blob(&self) -> String {
        format!("{}.zip", self.name)
    }

    fn log(&self) -> Option<&str> {
        match &self.deletion {
            Some(Deletion::Failed { log }) => Some(log),
            _ => self.outcome.as_ref().map(|outcome| outcome.log.as_str()),
        }
    }

    fn status(&self, shown: BackupView) -> &'static str {
        let now = match shown {
            BackupView::AtPost => return "Created",
            BackupView::Later(now) | BackupView::WithSecrets(now) => now,
        };
        match self.deletion {
            Some(Deletion::UnderWay { .. }) => return "DeleteInProgress",
            Some(Deletion::Failed { .. }) => return "DeleteFailed",
            Some(Deletion::Lingers) => return "Deleted",
            None => {}
        }
        match &self.outcome {
            Some(outcome) => match outcome.end {
                End::Succeeded | End::UnknownWord => "Succeeded",
                End::Partial => "PartiallySucceeded",
                End::TimedOut => "TimedOut",
                End::Skipped => "Skipped",
                End::FailedStorage | End::FailedOther | End::TooLarge => "Failed",
                End::UnknownWordForEver => UNKNOWN_WORD,
            },
            None if now < self.starts_at => "Created",
            None if matches!(self.end, End::UnknownWord | End::UnknownWordForEver) => UNKNOWN_WORD,
            None => "InProgress",
        }
    }

    /// `null` when there are none, and when it turned out that there are none.
    fn databases_shown(&self) -> Option<Vec<Value>> {
        let none = self.databases.is_empty() || (self.databases_dropped && self.outcome.is_some());
        (!none).then(|| databases_shown(&self.databases))
    }
}

/// Databases as answers have them, without their connection strings.
pub(super) fn databases_shown(databases: &[DatabaseFacts]) -> Vec<Value> {
    let shown = |DatabaseFacts { kind, name }: &DatabaseFacts| json!({"databaseType": kind, "name": name, "connectionStringName": null, "connectionString": null});
    databases.iter().map(shown).collect()
}

/// How long Azure works on a backup: half of all less than the median, few much longer, none over about eight times.
pub(super) fn duration(pace: &Pace, end: End, rng: &mut fastrand::Rng) -> Duration {
    let usual = spread(pace.backup_median, rng);
    match end {
        End::TimedOut => pace.timed_out_after,
        End::Skipped => usual / 10,
        _ => usual,
    }
}

/// A length whose median this is, and that is never over about eight times as long.
pub(super) fn spread(median: Duration, rng: &mut fastrand::Rng) -> Duration {
    // The sum of twelve draws less six is close to a normal distribution, and never beyond 6.
    let normal = (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
    median.mul_f64((0.55 * normal.clamp(-3.8, 3.8)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_all_durations_are_under_the_median_and_none_over_nine_times() {
        let (pace, mut rng) = (Pace::default(), fastrand::Rng::with_seed(5));
        let durations: Vec<Duration> =
            (0..4_000).map(|_| duration(&pace, End::Succeeded, &mut rng)).collect();
        let under = durations.iter().filter(|d| **d < pace.backup_median).count();
        assert!((1_850..2_150).contains(&under), "{under}");
        assert!(durations.iter().all(|d| *d < pace.backup_median * 9 && *d > pace.backup_median / 9));
        assert_eq!(duration(&pace, End::TimedOut, &mut rng), pace.timed_out_after);
    }
}
