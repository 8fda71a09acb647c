//! One operation carried to its end: the row that is the truth about it.

use serde::{Deserialize, Serialize};

use crate::schedule::MissedTick;
use crate::{
    App, AppId, Call, Cause, Delete, FailureCounts, IllegalTransition, Lane, OperatorAction, Outcome,
    PolicyName, PolicySnapshot, Restore, RetryClass, RunEvent, RunId, RunKind, RunState, Task, Timestamp,
};

/// One operation on one app, from its planning to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Counts the changes of the row: a change is made against the version it was decided on, or not at all.
    pub version: i64,
    /// What is done.
    pub task: Task,
    /// Who asked.
    pub trigger: Trigger,
    /// Which goes first when not all can.
    pub priority: Priority,
    /// To which app.
    pub app: AppId,
    /// Under which policy; `None` for a run by hand of an app in no policy.
    pub policy: Option<PolicyName>,
    /// The tick it stands for. A policy, an app and a tick make one run, whoever plans it.
    pub tick: Option<Timestamp>,
    /// The App Service plan, or what stands for it: the unit of one concurrency limit.
    pub plan: String,
    /// The policy snapshot it was planned under.
    pub policy_snapshot: PolicySnapshot,
    /// What it is doing.
    pub state: RunState,
    /// Failures so far.
    pub failure_counts: FailureCounts,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When its next step is due.
    pub due_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Who asked for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A tick, on time.
    Schedule,
    /// A tick, after a gap.
    CatchUp,
    /// A person.
    Manual,
    /// The policy, otherwise than by a tick: retention, a SAS about to lapse, a drill.
    Policy,
}

/// Which run goes first when not all can; the smaller goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// An app is down and waits for it.
    Restore,
    /// A person waits for it.
    Manual,
    /// A schedule waits for it.
    Scheduled,
    /// Nobody waits for it.
    Retention,
}

impl Priority {
    /// Every priority, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Restore, Self::Manual, Self::Scheduled, Self::Retention];

    /// How urgent a run of this kind is when this is who asks.
    pub fn of(kind: RunKind, trigger: Trigger) -> Self {
        match (kind, trigger) {
            (RunKind::Restore, _) => Self::Restore,
            (_, Trigger::Manual) => Self::Manual,
            (RunKind::Backup, _) => Self::Scheduled,
            (_, _) => Self::Retention,
        }
    }

    /// The number in rows: the smaller goes first.
    pub fn rank(self) -> i64 {
        match self {
            Self::Restore => 0,
            Self::Manual => 1,
            Self::Scheduled => 2,
            Self::Retention => 3,
        }
    }
}

/// What a message says: which run is due, and in which version. Nothing secret, and nothing that could be stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wakeup {
    /// The run.
    pub run_id: RunId,
    /// Its version when the message was made. A worker that finds another drops the message.
    pub version: i64,
}

/// A run that does not exist yet, with the event that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The row.
    pub run: Run,
    /// `Planned` or `Missed`.
    pub event: RunEvent,
}

/// What a new backup run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewBackup {
    /// The tick the run stands for; `None` for a backup that a person requests.
    pub tick: Option<Timestamp>,
    /// Who requests it.
    pub trigger: Trigger,
    /// When the first step is due.
    pub due_at: Timestamp,
}

/// What a new run of any kind does, and who requests it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// The task.
    pub task: Task,
    /// Who requests it.
    pub trigger: Trigger,
    /// The person's name, where a person requests it.
    pub actor: Option<String>,
}

impl NewRun {
    /// A backup of `app`, due at its own time.
    pub fn backup(
        id: RunId,
        app: &App,
        policy_snapshot: &PolicySnapshot,
        backup: NewBackup,
        now: Timestamp,
    ) -> Self {
        let NewBackup { tick, trigger, due_at } = backup;
        let task = Task::Backup { databases: app.databases.clone() };
        let mut new = Self::task(id, app, policy_snapshot, NewTask { task, trigger, actor: None }, now);
        new.run.tick = tick;
        new.run.due_at = due_at;
        new.event = RunEvent::Planned { tick, trigger, task: new.run.task.clone(), actor: None };
        new
    }

    /// A run of any kind, due at `now`.
    pub fn task(
        id: RunId,
        app: &App,
        policy_snapshot: &PolicySnapshot,
        planned: NewTask,
        now: Timestamp,
    ) -> Self {
        let NewTask { task, trigger, actor } = planned;
        let run = Run {
            id,
            version: 1,
            priority: Priority::of(task.kind(), trigger),
            trigger,
            app: app.id.clone(),
            policy: app.policy.clone(),
            tick: None,
            plan: app.plan_or_group(),
            policy_snapshot: policy_snapshot.clone(),
            state: RunState::Planned,
            failure_counts: FailureCounts::default(),
            created_at: now,
            due_at: now,
            ended_at: None,
            task: task.clone(),
        };
        Self { run, event: RunEvent::Planned { tick: None, trigger, task, actor } }
    }

    /// The record of an operator's action by `actor`: a run that has ended.
    pub fn operator_action(
        id: RunId,
        app: &App,
        policy_snapshot: &PolicySnapshot,
        action: OperatorAction,
        actor: String,
        now: Timestamp,
    ) -> Self {
        let task = Task::OperatorAction { action: action.clone() };
        let planned = NewTask { task, trigger: Trigger::Manual, actor: None };
        let mut new = Self::task(id, app, policy_snapshot, planned, now);
        new.run.state = RunState::action_recorded();
        new.run.ended_at = Some(now);
        new.event = RunEvent::ActionRecorded { action, actor };
        new
    }

    /// The record of a tick that is not run.
    pub fn missed(
        id: RunId,
        app: &App,
        policy_snapshot: &PolicySnapshot,
        missed: &MissedTick,
        now: Timestamp,
    ) -> Self {
        let MissedTick { tick, reason } = *missed;
        let backup = NewBackup { tick: Some(tick), trigger: Trigger::Schedule, due_at: tick };
        let mut new = Self::backup(id, app, policy_snapshot, backup, now);
        new.run.state = RunState::Ended {
            outcome: Outcome::Missed,
            cause: Some(Cause::from(reason)),
            backup: None,
            verification: None,
        };
        new.run.ended_at = Some(now);
        new.event = RunEvent::Missed { tick, reason };
        new
    }
}

impl Run {
    /// The run after `event`, which happened at `at`. The version is not raised: a change may hold several events.
    pub fn after(mut self, event: &RunEvent, at: Timestamp) -> Result<Self, IllegalTransition> {
        self.state = self.state.next(event)?;
        self.failure_counts.count(event);
        if self.state.is_ended() {
            self.ended_at = Some(at);
        }
        Ok(self)
    }

    /// The lane its next step waits in; `None` when it is over.
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
                RunKind::RefreshSas | RunKind::PushSchedule => {
                    Lane::Mutate { subscription, call: Call::Write }
                }
                RunKind::OperatorAction => Lane::Unmetered,
            }),
            RunState::Starting { .. }
            | RunState::Reconciling { .. }
            | RunState::Polling { .. }
            | RunState::PollingOperation { .. } => Some(Lane::Poll { subscription }),
            RunState::Verifying { .. } => Some(Lane::Unmetered),
            RunState::Ended { .. } => None,
        }
    }

    /// Does it hold its app, its plan and its storage account? It does while Azure may be at work on the app for it.
    pub fn occupies_app(&self) -> bool {
        self.task.is_exclusive() && self.state.is_in_flight()
    }

    /// Does it read, or is it going to, what `delete` takes away from `app`?
    pub fn reads(&self, app: &AppId, delete: &Delete) -> bool {
        let reads = |restore: &Restore| restore.reads(app, delete.backup, &delete.blob);
        !self.state.is_ended() && self.task.restore().is_some_and(reads)
    }

    /// May Azure be deleting for it what `restore` reads?
    pub fn is_deleting(&self, restore: &Restore) -> bool {
        let Task::Delete(delete) = &self.task else { return false };
        self.state.is_in_flight() && restore.reads(&self.app, delete.backup, &delete.blob)
    }

    /// Failures so far of the kind that `cause` is.
    pub fn failures(&self, cause: Cause) -> u32 {
        match cause.retry_class() {
            RetryClass::TimedOut => self.failure_counts.timed_out,
            RetryClass::Skipped => self.failure_counts.skipped,
            RetryClass::Partial => self.failure_counts.partial,
            RetryClass::Transient => self.failure_counts.transient,
            RetryClass::Lost => self.failure_counts.lost,
            RetryClass::Permanent => 0,
        }
    }
}

impl FailureCounts {
    /// Counts an event.
    fn count(&mut self, event: &RunEvent) {
        match event {
            RunEvent::AttemptEnded { cause, backup, number, .. } => {
                self.count_failure(*cause);
                if *cause == Cause::AnswerLost {
                    self.missing.insert(*number);
                }
                if cause.leaves_partial() {
                    self.partial_backup = backup.clone().or(self.partial_backup.take());
                }
            }
            RunEvent::StartRefused { cause, .. } => self.count_failure(*cause),
            RunEvent::Deferred { .. } => self.deferred += 1,
            RunEvent::Accepted { .. } | RunEvent::OperationAccepted { .. } | RunEvent::Completed { .. } => {
                self.deferred = 0;
            }
            RunEvent::Adopted { attempt, .. } => {
                self.deferred = 0;
                self.missing.remove(&attempt.number);
            }
            RunEvent::OrphanFound { number, .. } => {
                self.missing.remove(number);
            }
            _ => {}
        }
    }

    fn count_failure(&mut self, cause: Cause) {
        match cause.retry_class() {
            RetryClass::TimedOut => self.timed_out += 1,
            RetryClass::Skipped => self.skipped += 1,
            RetryClass::Partial => self.partial += 1,
            RetryClass::Transient => self.transient += 1,
            RetryClass::Lost => self.lost += 1,
            RetryClass::Permanent => {}
        }
    }
}

impl From<crate::schedule::MissReason> for Cause {
    fn from(reason: crate::schedule::MissReason) -> Self {
        use crate::schedule::MissReason;
        match reason {
            MissReason::TooLate => Self::TooLate,
            MissReason::Superseded => Self::Superseded,
            MissReason::Overlap => Self::Overlap,
        }
    }
}

/// A run's state made again from its events alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// What the run is doing.
    pub state: RunState,
    /// Its failures.
    pub failure_counts: FailureCounts,
}

impl Fold {
    /// Folds events, oldest first. The first must be the one that made the run.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Result<Self, IllegalTransition> {
        let mut events = events.into_iter();
        let state = match events.next() {
            Some(RunEvent::Missed { reason, .. }) => RunState::Ended {
                outcome: Outcome::Missed,
                cause: Some(Cause::from(*reason)),
                backup: None,
                verification: None,
            },
            Some(RunEvent::Planned { .. }) => RunState::Planned,
            Some(RunEvent::ActionRecorded { .. }) => RunState::action_recorded(),
            other => return Err(IllegalTransition::at_birth(other)),
        };
        let mut fold = Self { state, failure_counts: FailureCounts::default() };
        for event in events {
            fold.state = fold.state.next(event)?;
            fold.failure_counts.count(event);
        }
        Ok(fold)
    }
}

#[cfg(test)]
mod tests;
