//! What of an app's status waits longer than it should, and which ticks it missed. Pure.

use std::time::Duration;

use holdfast_model::{Cause, StateCode, Timestamp};
use holdfast_store::{AppStatus, Missed, Running};

/// How long a run may wait in all before it needs attention. Azure's own throttling passes in minutes.
const PATIENCE: Duration = Duration::from_hours(1);

/// Whether the run waits between its steps, and not for Azure's work.
pub fn waits(running: &Running, now: Timestamp) -> bool {
    match running.state {
        StateCode::Planned | StateCode::Waiting | StateCode::Reconciling | StateCode::Comparing => true,
        // The first check of a result is due at once, so a later one repeats it.
        StateCode::Verifying => running.next_try > now,
        StateCode::Starting | StateCode::Polling | StateCode::PollingOperation | StateCode::Ended => false,
    }
}

/// Why the run waits; `None` while it waits for its turn.
pub fn wait_cause(running: &Running) -> Option<Cause> {
    let looks_for_it = running.state == StateCode::Reconciling;
    running.cause.or(looks_for_it.then_some(Cause::AnswerLost))
}

/// Whether the run waits for hours, or for what a person has to do.
pub fn waits_too_long(running: &Running, now: Timestamp) -> bool {
    let is_late = running.since + PATIENCE < now;
    waits(running, now) && (is_late || running.cause.is_some_and(Cause::needs_operator))
}

/// The latest missed tick, unless the app has a good backup since.
pub fn missed_since_good(status: &AppStatus) -> Option<Missed> {
    status.missed.filter(|missed| status.last_good_at.is_none_or(|good| good < missed.tick))
}

#[cfg(test)]
mod tests {
    use holdfast_model::RunKind;

    use super::*;

    fn at(minutes: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_mins(minutes)
    }

    fn running(state: StateCode, cause: Option<Cause>) -> Running {
        let run_id = holdfast_model::RunId::new(at(0), &mut fastrand::Rng::with_seed(1));
        Running { run_id, kind: RunKind::Backup, state, cause, since: at(0), next_try: at(125) }
    }

    #[test]
    fn a_run_that_waits_for_more_than_an_hour_needs_attention_and_one_that_azure_works_on_does_not() {
        let throttled = running(StateCode::Waiting, Some(Cause::Throttled));
        assert!(!waits_too_long(&throttled, at(60)));
        assert!(waits_too_long(&throttled, at(61)));
        for state in [StateCode::Planned, StateCode::Reconciling, StateCode::Verifying] {
            assert!(waits_too_long(&running(state, None), at(120)), "{state}");
        }
        for state in [StateCode::Starting, StateCode::Polling, StateCode::PollingOperation] {
            assert!(!waits_too_long(&running(state, None), at(10_000)), "{state}");
        }
        assert!(!waits_too_long(&running(StateCode::Verifying, None), at(126)), "its first check is due");
    }

    #[test]
    fn a_run_that_waits_for_a_person_needs_attention_at_once() {
        assert!(waits_too_long(&running(StateCode::Waiting, Some(Cause::CredentialRefused)), at(1)));
        assert_eq!(wait_cause(&running(StateCode::Reconciling, None)), Some(Cause::AnswerLost));
        assert_eq!(wait_cause(&running(StateCode::Planned, None)), None);
    }
}
