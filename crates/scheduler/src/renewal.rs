//! When Azure's own schedule of an app needs another SAS, from the runs that set the schedule.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use holdfast_model::{Cause, Outcome, Run, RunEvent, RunState, SasFacts, Task, Timestamp};

/// When renewals are due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RenewalTiming {
    pub now: Timestamp,
    /// Time before the expiry of a SAS at which its renewal is due.
    pub margin: Duration,
    /// Pause after a renewal that failed or brought no other SAS.
    pub retry_after: Duration,
}

/// What follows from `push`, a run that set the schedule and sent `sent`.
///
/// `Break` holds the renewal that is due, or `None` when none is. `Continue` means that this run says nothing, and
/// the run before it decides.
pub(crate) fn renewal_after(
    push: &Run,
    sent: Option<&SasFacts>,
    timing: RenewalTiming,
) -> ControlFlow<Option<Task>> {
    let RenewalTiming { now, margin, retry_after } = timing;
    let Task::PushSchedule { schedule, databases, renews } = &push.task else { return Continue(()) };
    let RunState::Ended { outcome, cause, .. } = push.state else { return Break(None) };
    let is_recent = |wait: Duration| push.created_at + wait > now;
    // A renewal holds the SAS that it was to replace, so it can be repeated without the runs before it.
    let again = || if renews.is_some() { Break(Some(push.task.clone())) } else { Continue(()) };
    // Azure took the SAS of a schedule that it shows otherwise than it was sent.
    if outcome != Outcome::Succeeded && cause != Some(Cause::ScheduleNotTaken) {
        return if is_recent(retry_after) { Break(None) } else { again() };
    }
    // The schedule was removed.
    let Some(schedule) = schedule else { return Break(None) };
    let is_unchanged = |old: &SasFacts| sent.is_none_or(|sent| sent.fingerprint == old.fingerprint);
    let pause = |old: &SasFacts| if is_unchanged(old) { retry_after } else { margin };
    if renews.as_ref().is_some_and(|old| is_recent(pause(old))) {
        return Break(None);
    }
    let Some(sent) = sent else { return again() };
    let expires = sent.window.expiry.is_some_and(|expiry| expiry < now + margin);
    let renewal = || Task::PushSchedule {
        schedule: Some(schedule.clone()),
        databases: databases.clone(),
        renews: Some(sent.clone()),
    };
    Break(expires.then(renewal))
}

/// The SAS of the run's last attempt, from its events.
pub(crate) fn sent_sas(events: impl DoubleEndedIterator<Item = RunEvent>) -> Option<SasFacts> {
    events.rev().find_map(|event| match event {
        RunEvent::AttemptStarted { sas, .. } => sas,
        _ => None,
    })
}
