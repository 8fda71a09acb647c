//! A run as programs and people see it, without its policy snapshot.

use holdfast_model::{
    AppId, BackupFacts, BackupStatus, Cause, Outcome, PolicyName, Restore, Run, RunId, RunKind, RunState,
    StateCode, Task, Timestamp, Trigger, Verification,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A run, without its policy snapshot.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// Its kind.
    pub kind: RunKind,
    /// A short text for its task.
    pub what: String,
    /// Its task, as the event `planned` has it.
    pub task: Task,
    /// The app.
    pub app: AppId,
    /// The app's short name.
    pub name: String,
    /// The policy it was planned under.
    pub policy: Option<PolicyName>,
    /// What planned it.
    pub trigger: Trigger,
    /// The due time it stands for.
    pub tick: Option<Timestamp>,
    /// Its state.
    pub state: StateCode,
    /// Azure's status, while Azure works.
    pub azure_status: Option<BackupStatus>,
    /// Its outcome, once it has ended.
    pub outcome: Option<Outcome>,
    /// Why it failed, or waits.
    pub cause: Option<Cause>,
    /// The number of the attempt under way, or of the next.
    pub attempt: Option<u32>,
    /// The backup that the run created.
    pub backup: Option<BackupFacts>,
    /// What the check of the backup's blob found.
    pub verification: Option<Verification>,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When its next step is due; `null` when it has ended.
    pub due_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl From<&Run> for RunView {
    fn from(run: &Run) -> Self {
        let mut view = Self {
            id: run.id,
            kind: run.task.kind(),
            what: what(run),
            task: run.task.clone(),
            app: run.app.clone(),
            name: run.app.short_name(),
            policy: run.policy.clone(),
            trigger: run.trigger,
            tick: run.tick,
            state: run.state.code(),
            azure_status: None,
            outcome: None,
            cause: None,
            attempt: Some(run.state.next_attempt()),
            backup: None,
            verification: None,
            created_at: run.created_at,
            due_at: Some(run.due_at),
            ended_at: run.ended_at,
        };
        match &run.state {
            RunState::Polling { status, .. } => view.azure_status = Some(status.clone()),
            RunState::Verifying { backup, .. } => view.backup.clone_from(backup),
            RunState::Waiting { cause, .. } => view.cause = Some(*cause),
            RunState::Ended { outcome, cause, backup, verification } => {
                (view.outcome, view.cause) = (Some(*outcome), *cause);
                (view.backup, view.verification) = (backup.clone(), *verification);
                (view.attempt, view.due_at) = (None, None);
            }
            RunState::Planned
            | RunState::Starting { .. }
            | RunState::Reconciling { .. }
            | RunState::Comparing { .. }
            | RunState::PollingOperation { .. } => {}
        }
        view
    }
}

/// A short text for the task of a run; it names the app of a restored backup when it is another one.
fn what(run: &Run) -> String {
    let restored = |restore: &Restore| {
        let backup = restore.backup.map_or_else(|| "a blob".to_owned(), |id| id.to_string());
        let is_own = restore.source == run.app;
        if is_own { backup } else { format!("{backup} of {}", restore.source.short_name()) }
    };
    match &run.task {
        Task::Restore(restore) => format!("restore {}", restored(restore)),
        Task::Drill(drill) => format!("drill {}", restored(&drill.restore)),
        Task::Delete(delete) => format!("delete {}", delete.backup),
        Task::RefreshSas(refresh) => format!("refresh SAS of {}", refresh.backup),
        Task::PushSchedule { schedule: None, .. } => "remove schedule".to_owned(),
        Task::PushSchedule { renews: Some(_), .. } => "renew schedule's SAS".to_owned(),
        Task::PushSchedule { schedule: Some(_), .. } => "push schedule".to_owned(),
        Task::CheckCatalog { .. } => "check catalog".to_owned(),
        Task::OperatorAction { action } => {
            let about = action.backup().map(|id| format!(" {id}")).unwrap_or_default();
            format!("operator action: {}{about}", action.as_str())
        }
        Task::Backup { .. } => "backup".to_owned(),
    }
}
