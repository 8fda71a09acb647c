//! What an audit event means for notifications. Pure.

use holdfast_config::NotifyOn;
use holdfast_model::{Cause, DepartureReason, OperatorAction, Outcome, RunEvent, RunKind};

/// What an event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Something went wrong.
    Trouble(NotifyOn, Option<Cause>),
    /// A run of a kind succeeded.
    Success(RunKind),
    /// The app is no longer in the fleet.
    Left {
        /// Whether Azure no longer has it.
        is_gone: bool,
    },
}

/// The meaning of an event of a run of this kind; `None` for one that nobody is told of.
pub fn signal(event: &RunEvent, kind: RunKind) -> Option<Signal> {
    match event {
        RunEvent::Ended { outcome, cause, .. } => ended(*outcome, *cause, kind),
        RunEvent::Missed { reason, .. } => {
            Some(Signal::Trouble(NotifyOn::Missed, Some(Cause::from(*reason))))
        }
        // What a deletion of ours took away is not lost.
        RunEvent::BackupLost { deletion: None, .. } => Some(Signal::Trouble(NotifyOn::Lost, None)),
        RunEvent::ActionRecorded { action, .. } => match action {
            OperatorAction::Lost { .. } => Some(Signal::Trouble(NotifyOn::Lost, None)),
            OperatorAction::LeftFleet { reason, .. } => {
                Some(Signal::Left { is_gone: *reason == DepartureReason::NotFound })
            }
            _ => None,
        },
        _ => None,
    }
}

fn ended(outcome: Outcome, cause: Option<Cause>, kind: RunKind) -> Option<Signal> {
    let on = match (outcome, kind) {
        (Outcome::Succeeded, _) => return Some(Signal::Success(kind)),
        (_, RunKind::OperatorAction) => return None,
        (Outcome::Missed, _) => NotifyOn::Missed,
        (Outcome::Cancelled, RunKind::Backup) => NotifyOn::Cancelled,
        // A person has ended it, and knows.
        (Outcome::Cancelled, _) => return None,
        (Outcome::Partial, RunKind::Backup) => NotifyOn::Partial,
        (Outcome::Failed | Outcome::Exhausted, RunKind::Backup) => NotifyOn::Failure,
        (_, RunKind::Restore) => NotifyOn::Restore,
        (_, RunKind::Drill) => NotifyOn::Drill,
        (_, RunKind::Delete) => NotifyOn::Delete,
        (_, RunKind::RefreshSas | RunKind::PushSchedule) => NotifyOn::Sas,
        (_, RunKind::CheckCatalog) => NotifyOn::Check,
    };
    Some(Signal::Trouble(on, cause))
}

/// The kind of run whose success ends a trouble; `None` for one that is told once and does not last.
pub fn recovers_by(on: NotifyOn) -> Option<&'static [RunKind]> {
    match on {
        NotifyOn::Failure | NotifyOn::Partial | NotifyOn::Missed => Some(&[RunKind::Backup]),
        NotifyOn::Drill => Some(&[RunKind::Drill]),
        NotifyOn::Delete => Some(&[RunKind::Delete]),
        NotifyOn::Sas => Some(&[RunKind::RefreshSas, RunKind::PushSchedule]),
        NotifyOn::Check => Some(&[RunKind::CheckCatalog]),
        _ => None,
    }
}

/// Whether a trouble is told once, and is over with that.
pub fn is_told_once(on: NotifyOn) -> bool {
    !on.is_condition() && recovers_by(on).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended_as(outcome: Outcome, cause: Cause, kind: RunKind) -> Option<Signal> {
        let event = RunEvent::Ended { outcome, cause: Some(cause), backup: None, verification: None };
        signal(&event, kind)
    }

    #[test]
    fn each_way_in_which_a_backup_run_ends_has_its_meaning() {
        let trouble = |on, cause| Some(Signal::Trouble(on, Some(cause)));
        for (outcome, cause, expected) in [
            (Outcome::Succeeded, Cause::TimedOut, Some(Signal::Success(RunKind::Backup))),
            (
                Outcome::Partial,
                Cause::PartiallySucceeded,
                trouble(NotifyOn::Partial, Cause::PartiallySucceeded),
            ),
            (Outcome::Failed, Cause::TooLarge, trouble(NotifyOn::Failure, Cause::TooLarge)),
            (Outcome::Exhausted, Cause::TimedOut, trouble(NotifyOn::Failure, Cause::TimedOut)),
            (Outcome::Exhausted, Cause::Skipped, trouble(NotifyOn::Failure, Cause::Skipped)),
            (Outcome::Missed, Cause::Overlap, trouble(NotifyOn::Missed, Cause::Overlap)),
            (Outcome::Cancelled, Cause::Cancelled, trouble(NotifyOn::Cancelled, Cause::Cancelled)),
        ] {
            assert_eq!(ended_as(outcome, cause, RunKind::Backup), expected, "{outcome}");
        }
    }

    #[test]
    fn other_runs_that_do_not_succeed_are_told_by_their_kind() {
        for (kind, on) in [
            (RunKind::Restore, NotifyOn::Restore),
            (RunKind::Drill, NotifyOn::Drill),
            (RunKind::Delete, NotifyOn::Delete),
            (RunKind::RefreshSas, NotifyOn::Sas),
            (RunKind::PushSchedule, NotifyOn::Sas),
            (RunKind::CheckCatalog, NotifyOn::Check),
        ] {
            let expected = Some(Signal::Trouble(on, Some(Cause::AzureFailed)));
            assert_eq!(ended_as(Outcome::Exhausted, Cause::AzureFailed, kind), expected);
            assert_eq!(ended_as(Outcome::Cancelled, Cause::Cancelled, kind), None);
        }
        assert_eq!(ended_as(Outcome::Failed, Cause::AzureFailed, RunKind::OperatorAction), None);
    }
}
