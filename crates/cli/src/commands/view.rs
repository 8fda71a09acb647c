//! A run as programs and people see it: without the policy snapshot it carries, which are the fleet file's business.

use holdfast_model::{
    AppId, BackupFacts, BackupStatus, Cause, Outcome, PolicyName, Restore, Run, RunId, RunKind, RunState,
    StateCode, Task, Timestamp, Trigger, Verification,
};
use serde::Serialize;

use super::status::tone_of;
use crate::output::Cell;

/// A run.
#[derive(Debug, Serialize)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// What is done.
    pub kind: RunKind,
    /// The same in words, for people.
    #[serde(skip)]
    pub what: String,
    /// The same with its particulars, as the event `planned` has it.
    pub task: Task,
    /// To which app.
    pub app: AppId,
    /// What people call the app.
    pub name: String,
    /// Under which policy.
    pub policy: Option<PolicyName>,
    /// Who asked.
    pub trigger: Trigger,
    /// The due time it stands for.
    pub tick: Option<Timestamp>,
    /// What it is doing.
    pub state: StateCode,
    /// Azure's word, while Azure works.
    pub azure_status: Option<BackupStatus>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it ended otherwise than well, or waits.
    pub cause: Option<Cause>,
    /// The number of the attempt under way, or of the next.
    pub attempt: Option<u32>,
    /// The backup it made.
    pub backup: Option<BackupFacts>,
    /// What is known of the blob.
    pub verification: Option<Verification>,
    /// When it came to be.
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
            | RunState::PollingOperation { .. } => {}
        }
        view
    }
}

/// What a run does, in one cell. Whose backup it restores need not be told where it is the run's own app's.
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
        Task::OperatorAction { action } => {
            let about = action.backup().map(|id| format!(" {id}")).unwrap_or_default();
            format!("note: {}{about}", action.as_str())
        }
        Task::Backup { .. } => "backup".to_owned(),
    }
}

/// What a run is doing or how it ended, in one cell.
pub fn state_cell(run: &RunView) -> Cell {
    match (run.outcome, run.cause) {
        (Some(outcome), Some(cause)) => {
            Cell::toned(format!("{}: {cause}", outcome.as_str()), tone_of(outcome))
        }
        (Some(outcome), None) => Cell::toned(outcome.as_str(), tone_of(outcome)),
        (None, Some(cause)) => Cell::from(format!("{}: {cause}", run.state.as_str())),
        (None, None) => Cell::from(run.state.as_str()),
    }
}
