//! When another SAS is owed to Azure's own schedule of an app: decided from the runs that set it.

use std::time::Duration;

use holdfast_model::{Outcome, Run, RunEvent, RunState, SasFacts, Task, Timestamp};

/// What a run that set an app's schedule, or was to, tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing is owed.
    Enough,
    /// Nothing: the run before it tells.
    Nothing,
    /// The SAS that it left with Azure lapses.
    Lapses(Task),
}

/// What `push` tells, which sent `sent`. A new SAS is owed `margin` before the old one lapses. A run that brought none
/// is followed by another only after `rest`: what a person must mend is not mended within the hour.
pub(crate) fn told_by(
    push: &Run,
    sent: Option<&SasFacts>,
    now: Timestamp,
    (margin, rest): (Duration, Duration),
) -> Told {
    let Task::PushSchedule { schedule, databases, renews } = &push.task else { return Told::Nothing };
    let RunState::Ended { outcome, .. } = push.state else { return Told::Enough };
    let is_recent = |wait: Duration| push.created_at + wait > now;
    if outcome != Outcome::Succeeded {
        return if is_recent(rest) { Told::Enough } else { Told::Nothing };
    }
    // Whoever took the schedule away ended this.
    let Some(schedule) = schedule else { return Told::Enough };
    let brought_none = |old: &SasFacts| sent.is_none_or(|sent| sent.fingerprint == old.fingerprint);
    if renews.as_ref().is_some_and(|old| is_recent(if brought_none(old) { rest } else { margin })) {
        return Told::Enough;
    }
    let Some(sent) = sent else { return Told::Nothing };
    if sent.window.expiry.is_none_or(|expiry| expiry >= now + margin) {
        return Told::Enough;
    }
    Told::Lapses(Task::PushSchedule {
        schedule: Some(schedule.clone()),
        databases: databases.clone(),
        renews: Some(sent.clone()),
    })
}

/// The SAS that a run sent last, by what happened to it.
pub(crate) fn sent(events: impl DoubleEndedIterator<Item = RunEvent>) -> Option<SasFacts> {
    events.rev().find_map(|event| match event {
        RunEvent::AttemptStarted { sas, .. } => sas,
        _ => None,
    })
}
