//! What a run does.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AppId, BackupId, DatabaseRef, DeletionRule, Drill, NativeSchedule, OperatorAction, RefreshReason,
    Restore, RunKind, SasFacts,
};

/// What a run does, with all the data its worker needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// Makes a backup of the run's app.
    Backup {
        /// The databases to back up with the app.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        databases: Vec<DatabaseRef>,
    },
    /// Restores a backup into the run's app.
    Restore(Restore),
    /// Restores a backup into a scratch app, which is the run's app, and probes it.
    Drill(Drill),
    /// Deletes a backup of the run's app.
    Delete(Delete),
    /// Replaces the SAS that Azure keeps with a backup of the run's app.
    RefreshSas(RefreshSas),
    /// Sets Azure's own schedule of the run's app.
    PushSchedule {
        /// The schedule; `None` removes it.
        schedule: Option<NativeSchedule>,
        /// The databases that Azure backs up with the app.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        databases: Vec<DatabaseRef>,
        /// The SAS stored with the schedule, for a run that replaces only that SAS (a renewal).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renews: Option<SasFacts>,
    },
    /// Compares the catalog with what Azure and storage have of the run's app.
    CheckCatalog {
        /// The native schedule that the policy asks for; `None` where Azure should have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schedule: Option<NativeSchedule>,
        /// The databases that the fleet file lists for the app.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        databases: Vec<DatabaseRef>,
    },
    /// Records what an operator did or found; the run has already ended.
    OperatorAction {
        /// The action.
        action: OperatorAction,
    },
}

impl Default for Task {
    /// A backup of the app without databases.
    fn default() -> Self {
        Self::Backup { databases: Vec::new() }
    }
}

impl Task {
    /// The kind of the task.
    pub fn kind(&self) -> RunKind {
        match self {
            Self::Backup { .. } => RunKind::Backup,
            Self::Restore(_) => RunKind::Restore,
            Self::Drill(_) => RunKind::Drill,
            Self::Delete(_) => RunKind::Delete,
            Self::RefreshSas(_) => RunKind::RefreshSas,
            Self::PushSchedule { .. } => RunKind::PushSchedule,
            Self::CheckCatalog { .. } => RunKind::CheckCatalog,
            Self::OperatorAction { .. } => RunKind::OperatorAction,
        }
    }

    /// Whether it is [`Task::default`].
    pub fn is_plain_backup(&self) -> bool {
        *self == Self::default()
    }

    /// The restore, of a restore or a drill.
    pub fn restore(&self) -> Option<&Restore> {
        match self {
            Self::Restore(restore) => Some(restore),
            Self::Drill(drill) => Some(&drill.restore),
            _ => None,
        }
    }

    /// The existing backup it is about and the app that backup is of; `app` is the run's app.
    pub fn backup<'a>(&'a self, app: &'a AppId) -> Option<(&'a AppId, BackupId)> {
        match self {
            Self::Restore(restore) | Self::Drill(Drill { restore, .. }) => {
                Some((&restore.source, restore.backup?))
            }
            Self::Delete(delete) => Some((app, delete.backup)),
            Self::RefreshSas(refresh) => Some((app, refresh.backup)),
            Self::OperatorAction { action } => Some((app, action.backup()?)),
            Self::Backup { .. } | Self::PushSchedule { .. } | Self::CheckCatalog { .. } => None,
        }
    }

    /// The blob of the backup it is about, where the task names it. Azure's number may be another backup's by now.
    pub fn blob(&self) -> Option<&str> {
        match self {
            Self::Delete(delete) => Some(&delete.blob),
            task => task.restore().map(|restore| restore.blob.as_str()),
        }
    }

    /// Whether Azure works on the app itself, which allows one such task at a time.
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Self::Backup { .. } | Self::Restore(_) | Self::Drill(_))
    }

    /// The subject of the task: an app has at most one unfinished run per subject. `None` allows any number.
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::Delete(delete) => Some(format!("delete {}", delete.backup)),
            Self::RefreshSas(refresh) => Some(format!("refresh_sas {}", refresh.backup)),
            Self::PushSchedule { .. } => Some("push_schedule".to_owned()),
            Self::CheckCatalog { .. } => Some("check_catalog".to_owned()),
            Self::Drill(drill) => Some(format!("drill {}", drill.restore.source)),
            Self::Backup { .. } | Self::Restore(_) | Self::OperatorAction { .. } => None,
        }
    }
}

/// The deletion of a backup of the run's app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delete {
    /// Azure's number for the backup.
    pub backup: BackupId,
    /// The blob's name.
    pub blob: String,
    /// Whether to delete it even if it is the app's last good backup.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_last: bool,
    /// The rule of retention that requests the deletion; `None` where a person requests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<DeletionRule>,
}

/// The replacement of the SAS that Azure stores with a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefreshSas {
    /// Azure's number for the backup.
    pub backup: BackupId,
    /// Why it is replaced.
    pub reason: RefreshReason,
    /// The SAS that Azure stores with it, if known.
    pub old: Option<SasFacts>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_from_when_there_were_only_backups_reads_as_one() {
        let task: Task = serde_json::from_str(r#"{"task":"backup"}"#).unwrap();
        assert!(task.is_plain_backup() && task.is_exclusive() && task.subject().is_none());
    }

    #[test]
    fn two_deletions_of_one_backup_have_the_same_subject_and_those_of_two_have_not() {
        let delete = |id| {
            Task::Delete(Delete { backup: BackupId(id), blob: "b.zip".into(), allow_last: false, rule: None })
        };
        assert_eq!(delete(1).subject(), delete(1).subject());
        assert_ne!(delete(1).subject(), delete(2).subject());
        assert!(!delete(1).is_exclusive());
    }
}
