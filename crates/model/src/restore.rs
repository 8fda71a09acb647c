//! Restores and drills.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AppId, BackupId, DatabaseRef, Timestamp};

/// A restore of a backup into the run's app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Restore {
    /// The app the backup is of.
    pub source: AppId,
    /// Azure's number for the backup; `None` for a blob that Azure's list no longer has.
    pub backup: Option<BackupId>,
    /// The blob's name in the container of the run's storage.
    pub blob: String,
    /// The plan in which to create the app; `None` when the app exists and is overwritten.
    pub new_in_plan: Option<String>,
    /// The databases to restore, as the backup names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<DatabaseRef>,
    /// Whether to leave databases as they are although the backup holds some.
    pub ignore_databases: bool,
    /// Whether to skip host names that another app now uses.
    pub ignore_conflicting_host_names: bool,
}

impl Restore {
    /// Whether it reads this backup. The blob's name decides where Azure's number is unknown or was reused.
    pub fn reads(&self, app: &AppId, backup: BackupId, blob: &str) -> bool {
        self.blob == blob || (&self.source, self.backup) == (app, Some(backup))
    }
}

/// A restore into a scratch app, to prove that a backup can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Drill {
    /// The restore into the scratch app.
    #[serde(flatten)]
    pub restore: Restore,
    /// The URL that must answer afterwards; `None` when Azure's status is enough.
    pub probe: Option<String>,
}

/// How often an app's backups are proved by a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillRule {
    /// How long a drill stays valid.
    pub every: Duration,
    /// The scratch app. A drill overwrites everything in it.
    pub into: AppId,
    /// The URL that must answer afterwards.
    pub probe: Option<String>,
}

impl DrillRule {
    /// Whether a drill is due at `now`; `last` is when the last one ended.
    pub fn is_due(&self, last: Option<Timestamp>, now: Timestamp) -> bool {
        last.is_none_or(|last| last + self.every <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_reads_the_backup_of_its_number_and_the_one_of_its_blob() {
        let app = |name| AppId::new("s", "g", name, None);
        let restore = |backup| Restore {
            source: app("shop"),
            backup,
            blob: "b.zip".into(),
            new_in_plan: None,
            databases: Vec::new(),
            ignore_databases: true,
            ignore_conflicting_host_names: true,
        };
        let (numbered, by_blob) = (restore(Some(BackupId(7))), restore(None));
        for reads in [&numbered, &by_blob] {
            assert!(reads.reads(&app("shop"), BackupId(7), "b.zip"));
            assert!(reads.reads(&app("shop"), BackupId(8), "b.zip"), "the number is another one by now");
            assert!(reads.reads(&app("was-shop"), BackupId(7), "b.zip"), "whoever's it is called");
            assert!(!reads.reads(&app("shop"), BackupId(8), "c.zip"));
        }
        assert!(numbered.reads(&app("shop"), BackupId(7), "c.zip"));
        assert!(!numbered.reads(&app("blog"), BackupId(7), "c.zip"));
        assert!(!by_blob.reads(&app("shop"), BackupId(7), "c.zip"));
    }

    #[test]
    fn a_drill_is_due_when_the_last_one_is_too_old_or_never_was() {
        let at = |s| Timestamp::from_timestamp(s, 0).unwrap();
        let rule = DrillRule {
            every: Duration::from_secs(100),
            into: AppId::new("s", "g", "scratch", None),
            probe: None,
        };
        assert!(rule.is_due(None, at(0)));
        assert!(!rule.is_due(Some(at(0)), at(99)));
        assert!(rule.is_due(Some(at(0)), at(100)));
    }
}
