//! A restore: begun, followed to its end, or looked for.

use holdfast_arm::{Error, ErrorKind, Progress, Started};
use holdfast_model::{Attempt, Cause, RunEvent, Task, Timestamp};

use super::answers::still_working;
use super::begin::not_accepted;
use super::ending::{Failure, completed, failed, given_up};
use super::look::{absent, not_looked, not_there};
use super::{Next, Sight};

/// What is to be seen of a restore whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trace {
    /// An operation is under way at the app, this or another.
    UnderWay,
    /// None is, and the backup was last restored then, as Azure tells it.
    Restored(Option<Timestamp>),
    /// None is, and nothing tells of what may have been.
    Unknowable,
}

/// The POST came back, or did not.
pub(crate) fn restore_answered(
    sight: &Sight<'_>,
    attempt: &Attempt,
    answer: Result<Started, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(Started { operation: Some(operation), request_id, retry_after }) => {
            let accepted_at = sight.now;
            let accepted = RunEvent::OperationAccepted { operation, accepted_at, request_id };
            let pause = sight.run.policy_snapshot.poll.first.max(retry_after.unwrap_or_default());
            Next::new(vec![accepted], sight.now + pause)
        }
        Ok(Started { operation: None, .. }) => restored(sight),
        Err(error) => not_accepted(sight, attempt, &error, rng),
    }
}

/// Azure was asked how the operation stands.
pub(crate) fn followed(
    sight: &Sight<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    answer: Result<Progress, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(Progress::UnderWay { retry_after }) => {
            still_working(sight, attempt, accepted_at, retry_after, rng)
        }
        Ok(Progress::Done) => restored(sight),
        Ok(Progress::Failed { detail }) => {
            failed(sight, attempt, Failure::new(Cause::RestoreFailed, detail), rng)
        }
        // Azure keeps results for a while only. What the restore left behind tells.
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            Next::new(vec![RunEvent::AnswerLost { detail: error.to_string() }], sight.now)
        }
        Err(error) => not_looked(sight, attempt, accepted_at, &error, rng),
    }
}

/// The trace was looked for, or could not be.
pub(crate) fn traced(
    sight: &Sight<'_>,
    attempt: &Attempt,
    trace: Result<Trace, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    let trace = match trace {
        Ok(trace) => trace,
        Err(error) => return not_looked(sight, attempt, attempt.begun_at, &error, rng),
    };
    match trace {
        Trace::UnderWay => still_working(sight, attempt, attempt.begun_at, None, rng),
        Trace::Restored(at) if at.is_some() && at != attempt.restored_before => restored(sight),
        Trace::Restored(_) => {
            not_there(sight, attempt, |looks| format!("no restore was seen in {looks} looks"), rng)
        }
        Trace::Unknowable => absent(sight, |_| {
            let detail = "whether the app was restored cannot be told: a blob without a backup leaves no trace, and one \
                          of a backup that another run restored meanwhile may be that run's. Look at the app, and \
                          restore again if it was not";
            given_up(sight, attempt, Cause::AnswerLost, detail.to_owned())
        }),
    }
}

/// Azure has restored: a drill asks the app, where it has somebody to ask.
fn restored(sight: &Sight<'_>) -> Next {
    match &sight.run.task {
        Task::Drill(drill) if drill.probe.is_some() => {
            Next::new(vec![RunEvent::Completed { backup: None, detail: None }], sight.now)
        }
        _ => completed(sight),
    }
}
