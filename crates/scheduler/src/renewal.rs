//! When another SAS is owed to Azure's own schedule of an app: decided from the runs that set it, the newest first.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use holdfast_model::{Outcome, Run, RunEvent, RunState, SasFacts, Task, Timestamp};

/// What follows from `push`, which sent `sent`: a renewal, or that none is owed; it goes on with the run before where
/// this one tells nothing. A new SAS is owed `margin` before the old one lapses, and a renewal that brought none is
/// followed by another only after `rest`: what a person must mend is not mended within the hour.
pub(crate) fn owed_after(
    push: &Run,
    sent: Option<&SasFacts>,
    now: Timestamp,
    (margin, rest): (Duration, Duration),
) -> ControlFlow<Option<Task>> {
    let Task::PushSchedule { schedule, databases, renews } = &push.task else { return Continue(()) };
    let RunState::Ended { outcome, .. } = push.state else { return Break(None) };
    let is_recent = |wait: Duration| push.created_at + wait > now;
    // A renewal knows what it was for: however many of them came to nothing, the next one is owed.
    let again = || if renews.is_some() { Break(Some(push.task.clone())) } else { Continue(()) };
    if outcome != Outcome::Succeeded {
        return if is_recent(rest) { Break(None) } else { again() };
    }
    // Whoever took the schedule away ended this.
    let Some(schedule) = schedule else { return Break(None) };
    let brought_none = |old: &SasFacts| sent.is_none_or(|sent| sent.fingerprint == old.fingerprint);
    if renews.as_ref().is_some_and(|old| is_recent(if brought_none(old) { rest } else { margin })) {
        return Break(None);
    }
    let Some(sent) = sent else { return again() };
    let lapses = sent.window.expiry.is_some_and(|expiry| expiry < now + margin);
    let renewal = || Task::PushSchedule {
        schedule: Some(schedule.clone()),
        databases: databases.clone(),
        renews: Some(sent.clone()),
    };
    Break(lapses.then(renewal))
}

/// The SAS that a run sent last, by what happened to it.
pub(crate) fn sent(events: impl DoubleEndedIterator<Item = RunEvent>) -> Option<SasFacts> {
    events.rev().find_map(|event| match event {
        RunEvent::AttemptStarted { sas, .. } => sas,
        _ => None,
    })
}
