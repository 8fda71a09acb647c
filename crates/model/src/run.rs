//! One operation carried to its end: the row that is the truth about it.

use serde::{Deserialize, Serialize};

use crate::{
    AppId, Call, Cause, Delete, FailureCounts, IllegalTransition, Lane, PolicyName, PolicySnapshot, Priority,
    Restore, RunEvent, RunId, RunKind, RunState, Task, Timestamp, Trigger,
};

/// One operation on one app, from its planning to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The run's id.
    pub id: RunId,
    /// Number of changes of the row. A change is committed only against the version it was decided on.
    pub version: i64,
    /// What the run does.
    pub task: Task,
    /// Who requested it.
    pub trigger: Trigger,
    /// Its order of admission.
    pub priority: Priority,
    /// The app it works on.
    pub app: AppId,
    /// The policy it belongs to; `None` for a manual run of an app without a policy.
    pub policy: Option<PolicyName>,
    /// The tick it stands for. Policy, app and tick identify one run, whichever planner adds it.
    pub tick: Option<Timestamp>,
    /// The App Service plan or its substitute ([`crate::App::plan_or_group`]): the unit of a concurrency limit.
    pub plan: String,
    /// The policy as it was when the run was planned.
    pub policy_snapshot: PolicySnapshot,
    /// What the run is doing.
    pub state: RunState,
    /// Failures so far.
    pub failure_counts: FailureCounts,
    /// When the run was planned.
    pub created_at: Timestamp,
    /// When its next step is due.
    pub due_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What a message says: a run, its version, and the lease under which it was published. It holds no secret of Azure's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wakeup {
    /// The run.
    pub run_id: RunId,
    /// Its version when the message was published. A worker that loads another version drops the message.
    pub version: i64,
    /// The random number of its lease, at least 1. A worker that finds no lease with this number drops the message.
    pub nonce: i64,
}

impl Run {
    /// The run after `event`, which happened at `at`. Leaves `version` as it is: one change may hold several events.
    pub fn after(mut self, event: &RunEvent, at: Timestamp) -> Result<Self, IllegalTransition> {
        let next = self.state.next(event)?;
        self.failure_counts.count(&self.state, event);
        self.state = next;
        if self.state.is_ended() {
            self.ended_at = Some(at);
        }
        Ok(self)
    }

    /// The lane in which the next step waits; `None` when the run has ended.
    pub fn lane(&self) -> Option<Lane> {
        let subscription = self.app.subscription().clone();
        match self.state {
            RunState::Planned | RunState::Waiting { .. } => Some(match self.task.kind() {
                RunKind::Backup | RunKind::Restore | RunKind::Drill => Lane::Begin {
                    subscription,
                    plan: self.plan.clone(),
                    account: self.policy_snapshot.account.clone(),
                },
                RunKind::Delete => Lane::Mutate { subscription, call: Call::Delete },
                // ARM counts the POST that reads a schedule as a write.
                RunKind::RefreshSas | RunKind::PushSchedule | RunKind::CheckCatalog => {
                    Lane::Mutate { subscription, call: Call::Write }
                }
                RunKind::OperatorAction => Lane::Unmetered,
            }),
            RunState::Comparing { .. } => Some(Lane::Mutate { subscription, call: Call::Write }),
            RunState::Starting { .. }
            | RunState::Reconciling { .. }
            | RunState::Polling { .. }
            | RunState::PollingOperation { .. } => Some(Lane::Poll { subscription }),
            RunState::Verifying { .. } => Some(Lane::Unmetered),
            RunState::Ended { .. } => None,
        }
    }

    /// Whether the run occupies its app, plan and storage account: while Azure may be working on the app for it.
    pub fn occupies_app(&self) -> bool {
        self.task.is_exclusive() && self.state.is_in_flight()
    }

    /// Whether the run reads, or will read, the backup of `app` that `delete` removes.
    pub fn reads(&self, app: &AppId, delete: &Delete) -> bool {
        let reads = |restore: &Restore| restore.reads(app, delete.backup, &delete.blob);
        !self.state.is_ended() && self.task.restore().is_some_and(reads)
    }

    /// Whether Azure may be deleting, for this run, the backup that `restore` reads.
    pub fn is_deleting(&self, restore: &Restore) -> bool {
        let Task::Delete(delete) = &self.task else { return false };
        self.state.is_in_flight() && restore.reads(&self.app, delete.backup, &delete.blob)
    }

    /// Failures so far that count against the retry rule of `cause`.
    pub fn failures(&self, cause: Cause) -> u32 {
        self.failure_counts.of(cause.retry_class())
    }
}

#[cfg(test)]
mod tests;
