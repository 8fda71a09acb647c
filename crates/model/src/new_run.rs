//! Runs that are about to be added to the store.

use crate::schedule::MissedTick;
use crate::{
    Actor, App, Cause, FailureCounts, OperatorAction, Outcome, PolicySnapshot, Priority, Run, RunEvent,
    RunId, RunState, Task, Timestamp, Trigger,
};

/// A run that does not exist yet, with the event that creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The row.
    pub run: Run,
    /// `Planned`, `Missed` or `ActionRecorded`.
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
    /// The person, where a person requests it.
    pub actor: Option<Actor>,
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
            policy_snapshot: policy_snapshot.for_app(&app.id),
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
        actor: Actor,
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
