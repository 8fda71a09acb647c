//! What a run does, with everything it needs to know for it: a worker needs nothing but the row.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    AppId, BackupId, DatabaseRef, NativeSchedule, OperatorAction, RefreshReason, SasFacts, Timestamp,
};

/// What a run does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// Takes a backup of the run's app.
    Backup {
        /// The databases taken along.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        databases: Vec<DatabaseRef>,
    },
    /// Brings the run's app to what a backup holds.
    Restore(Restore),
    /// Restores into a scratch app, the run's own, and looks whether it answers.
    Drill(Drill),
    /// Deletes a backup of the run's app.
    Delete(Delete),
    /// Replaces the SAS that Azure keeps with a backup of the run's app.
    RefreshSas(RefreshSas),
    /// Sets Azure's own schedule of the run's app.
    PushSchedule {
        /// The schedule; `None` takes it away.
        schedule: Option<NativeSchedule>,
        /// The databases that Azure takes along.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        databases: Vec<DatabaseRef>,
        /// The SAS that Azure keeps with it, where the run is for a new one and leaves all else as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renews: Option<SasFacts>,
    },
    /// Nothing: something that happened outside of runs is written down.
    OperatorAction {
        /// What.
        action: OperatorAction,
    },
}

/// A restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Whose backup.
    pub source: AppId,
    /// Azure's number for it; `None` for a blob that Azure's list no longer knows.
    pub backup: Option<BackupId>,
    /// The blob in the container of the run's storage.
    pub blob: String,
    /// The plan that a new app goes into; `None` when the app is there, and is overwritten.
    pub new_in_plan: Option<String>,
    /// The databases brought back, as the backup names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<DatabaseRef>,
    /// Leaves databases as they are, although the backup holds some.
    pub ignore_databases: bool,
    /// Leaves host names out that another app has by now.
    pub ignore_conflicting_host_names: bool,
}

impl Restore {
    /// Does it read this backup? The blob tells it where Azure's number is not known, or is another one by now.
    pub fn reads(&self, app: &AppId, backup: BackupId, blob: &str) -> bool {
        self.blob == blob || (&self.source, self.backup) == (app, Some(backup))
    }
}

/// A restore for practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// The restore into the scratch app.
    #[serde(flatten)]
    pub restore: Restore,
    /// The URL that must answer afterwards; `None` when Azure's word is enough.
    pub probe: Option<String>,
}

/// A deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// Azure's number for the backup.
    pub backup: BackupId,
    /// Its blob.
    pub blob: String,
    /// Whether somebody who was told so wants it gone though it may be the last good one of its app.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_last: bool,
}

/// A new SAS for a backup already taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshSas {
    /// Azure's number for the backup.
    pub backup: BackupId,
    /// Why.
    pub reason: RefreshReason,
    /// The SAS that Azure keeps with it, as far as it is known.
    pub old: Option<SasFacts>,
}

/// What a run does, without the particulars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// See [`Task::Backup`].
    Backup,
    /// See [`Task::Restore`].
    Restore,
    /// See [`Task::Drill`].
    Drill,
    /// See [`Task::Delete`].
    Delete,
    /// See [`Task::RefreshSas`].
    RefreshSas,
    /// See [`Task::PushSchedule`].
    PushSchedule,
    /// See [`Task::OperatorAction`].
    OperatorAction,
}

impl RunKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Backup,
        Self::Restore,
        Self::Drill,
        Self::Delete,
        Self::RefreshSas,
        Self::PushSchedule,
        Self::OperatorAction,
    ];

    /// The word in rows and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Drill => "drill",
            Self::Delete => "delete",
            Self::RefreshSas => "refresh_sas",
            Self::PushSchedule => "push_schedule",
            Self::OperatorAction => "operator_action",
        }
    }
}

impl fmt::Display for RunKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Default for Task {
    /// A backup of the app alone: what rows mean that were written when there was nothing else.
    fn default() -> Self {
        Self::Backup { databases: Vec::new() }
    }
}

impl Task {
    /// What it does, without the particulars.
    pub fn kind(&self) -> RunKind {
        match self {
            Self::Backup { .. } => RunKind::Backup,
            Self::Restore(_) => RunKind::Restore,
            Self::Drill(_) => RunKind::Drill,
            Self::Delete(_) => RunKind::Delete,
            Self::RefreshSas(_) => RunKind::RefreshSas,
            Self::PushSchedule { .. } => RunKind::PushSchedule,
            Self::OperatorAction { .. } => RunKind::OperatorAction,
        }
    }

    /// Is it [`Task::default`]?
    pub fn is_plain_backup(&self) -> bool {
        *self == Self::default()
    }

    /// The restore in it, if it is one.
    pub fn restore(&self) -> Option<&Restore> {
        match self {
            Self::Restore(restore) => Some(restore),
            Self::Drill(drill) => Some(&drill.restore),
            _ => None,
        }
    }

    /// The backup it is about, and whose it is, given the run's app: not for one that is still to be made.
    pub fn backup<'a>(&'a self, app: &'a AppId) -> Option<(&'a AppId, BackupId)> {
        match self {
            Self::Restore(restore) | Self::Drill(Drill { restore, .. }) => {
                Some((&restore.source, restore.backup?))
            }
            Self::Delete(delete) => Some((app, delete.backup)),
            Self::RefreshSas(refresh) => Some((app, refresh.backup)),
            Self::OperatorAction { action } => Some((app, action.backup()?)),
            Self::Backup { .. } | Self::PushSchedule { .. } => None,
        }
    }

    /// Does Azure work on the app itself, so that nothing else may at the same time?
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Self::Backup { .. } | Self::Restore(_) | Self::Drill(_))
    }

    /// What of the app it is about: of those with the same subject, one run at a time is unfinished, whoever adds
    /// them. `None` where several make sense.
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::Delete(delete) => Some(format!("delete {}", delete.backup)),
            Self::RefreshSas(refresh) => Some(format!("refresh_sas {}", refresh.backup)),
            Self::PushSchedule { .. } => Some("push_schedule".to_owned()),
            Self::Drill(drill) => Some(format!("drill {}", drill.restore.source)),
            Self::Backup { .. } | Self::Restore(_) | Self::OperatorAction { .. } => None,
        }
    }
}

/// How often an app's backups are tried out by a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillRule {
    /// How long a drill stays good.
    pub every: Duration,
    /// The scratch app: everything in it is overwritten.
    pub into: AppId,
    /// The URL that must answer afterwards.
    pub probe: Option<String>,
}

impl DrillRule {
    /// Is a drill due at `now`, after the last one?
    pub fn is_due(&self, last: Option<Timestamp>, now: Timestamp) -> bool {
        last.is_none_or(|last| last + self.every <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kinds_word_is_the_one_it_is_written_with() {
        for kind in RunKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn a_row_from_when_there_were_only_backups_reads_as_one() {
        let task: Task = serde_json::from_str(r#"{"task":"backup"}"#).unwrap();
        assert!(task.is_plain_backup() && task.is_exclusive() && task.subject().is_none());
    }

    #[test]
    fn two_deletions_of_one_backup_have_the_same_subject_and_those_of_two_have_not() {
        let delete =
            |id| Task::Delete(Delete { backup: BackupId(id), blob: "b.zip".into(), allow_last: false });
        assert_eq!(delete(1).subject(), delete(1).subject());
        assert_ne!(delete(1).subject(), delete(2).subject());
        assert!(!delete(1).is_exclusive());
    }

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
