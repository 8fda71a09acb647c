//! What a restore will do.

use holdfast_model::{App, AppId, DatabaseRef, PolicySnapshot, Run, RunKind, SasFacts, Task};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::source::RestoreSource;

/// What stays as it is in the target, whatever was backed up (docs: App Service backups).
pub const NEVER_RESTORED: [&str; 10] = [
    "virtual network integration",
    "private endpoints",
    "authentication",
    "managed identity",
    "custom domains",
    "TLS certificates",
    "scale-out",
    "diagnostics",
    "alerts",
    "deployment slots",
];

/// A restore that can start now.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct RestorePlan {
    /// A restore or a drill.
    pub kind: RunKind,
    /// Whose backup.
    pub source: AppId,
    /// The backup.
    pub backup: RestoreSource,
    /// The container it lies in.
    pub container: String,
    /// What was found there.
    pub blobs: Blobs,
    /// Where it goes.
    pub target: RestoreTarget,
    /// The databases that come back.
    pub databases: Vec<DatabaseRef>,
    /// Whether databases are left as they are.
    pub ignore_databases: bool,
    /// The URL that must answer after a drill.
    pub probe: Option<String>,
    /// The SAS that Azure would be given.
    pub sas: SasFacts,
    /// What stays as it is.
    #[serde(skip_deserializing, default = "never_restored")]
    pub never_restored: [&'static str; 10],
    /// Warnings to read before the confirmation.
    pub warnings: Vec<String>,
    /// The run that does it; `None` in a plan of another process.
    #[serde(skip)]
    pub run: Option<NewRestore>,
}

fn never_restored() -> [&'static str; 10] {
    NEVER_RESTORED
}

/// The data of a restore run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewRestore {
    /// The run's app: the target.
    pub app: App,
    /// Its policy snapshot.
    pub policy_snapshot: PolicySnapshot,
    /// What it does.
    pub task: Task,
}

/// What was found of a backup in its storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blobs {
    /// Archive and manifest.
    Present,
    /// The policy says that storage is out of reach.
    NotChecked,
}

/// Where a restore goes, as it is now.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct RestoreTarget {
    /// The app.
    pub app: AppId,
    /// Whether it exists; a new one is created otherwise.
    pub exists: bool,
    /// Its tier.
    pub tier: Option<String>,
    /// `Running` and the like.
    pub state: Option<String>,
    /// The App Service plan of the target, existing or new.
    pub plan: Option<String>,
    /// Whether what is there is replaced, all but what its `_backup.filter` names.
    pub is_replaced: bool,
    /// Whether it is stopped until Azure is done.
    pub is_stopped: bool,
}

impl RestorePlan {
    /// Whether a run does the same: the same backup into the same target, or a drill of the same app there.
    pub(super) fn repeats(&self, run: &Run) -> bool {
        let task = self.run.as_ref().map(|new| &new.task);
        let is_same = match (task, &run.task) {
            (Some(Task::Restore(new)), Task::Restore(old)) => {
                (&new.source, &new.blob) == (&old.source, &old.blob)
            }
            (Some(new @ Task::Drill(_)), old) => new.subject() == old.subject(),
            _ => false,
        };
        is_same && run.app == self.target.app
    }

    /// The text that confirms the restore: the name of the target.
    pub fn word(&self) -> String {
        self.target.app.short_name()
    }

    /// The question before it starts.
    pub fn question(&self) -> String {
        let word = self.word();
        if self.target.exists {
            format!("Everything in {word} will be replaced.")
        } else {
            format!("The app {word} will be created.")
        }
    }
}
