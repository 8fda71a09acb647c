//! What follows from the answers to a restore run. Pure.

use holdfast_arm::{Error, ErrorKind, Progress, Started};
use holdfast_model::{Attempt, Cause, RunEvent, Task, Timestamp};

use super::trace::Trace;
use crate::ending::{Failure, completed, failed, given_up};
use crate::next::Next;
use crate::polling::poll_again;
use crate::reconcile::{absent, look_failed, not_found};
use crate::request_failed::request_failed;
use crate::step_input::StepInput;

/// The POST was answered, or failed.
pub(super) fn answered(
    input: &StepInput<'_>,
    attempt: &Attempt,
    answer: Result<Started, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(Started { operation: Some(operation), request_id, retry_after }) => {
            let accepted_at = input.now;
            let accepted = RunEvent::OperationAccepted { operation, accepted_at, request_id };
            let pause = input.run.policy_snapshot.poll.first.max(retry_after.unwrap_or_default());
            Next::new(vec![accepted], input.now + pause)
        }
        Ok(Started { operation: None, .. }) => restored(input),
        Err(error) => request_failed(input, attempt, &error, rng),
    }
}

/// A poll of the operation was answered, or failed.
pub(super) fn polled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    answer: Result<Progress, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(Progress::UnderWay { retry_after }) => poll_again(input, attempt, accepted_at, retry_after, rng),
        Ok(Progress::Done) => restored(input),
        Ok(Progress::Failed { detail }) => {
            failed(input, attempt, Failure::new(Cause::RestoreFailed, detail), rng)
        }
        // Azure keeps the results of operations only for a while. The next step looks for the restore's trace instead.
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            Next::new(vec![RunEvent::AnswerLost { detail: error.to_string() }], input.now)
        }
        Err(error) => look_failed(input, attempt, accepted_at, &error, rng),
    }
}

/// Handles the lookup of the trace after a lost answer, or its failure.
pub(super) fn reconciled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    trace: Result<Trace, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    let trace = match trace {
        Ok(trace) => trace,
        Err(error) => return look_failed(input, attempt, attempt.begun_at, &error, rng),
    };
    match trace {
        Trace::UnderWay => poll_again(input, attempt, attempt.begun_at, None, rng),
        Trace::Restored(at) if at.is_some() && at != attempt.restored_before => restored(input),
        Trace::Restored(_) => {
            not_found(input, attempt, |looks| format!("no restore was seen in {looks} looks"), rng)
        }
        Trace::Unknowable => absent(input, |_| {
            let detail = "whether azure restored the app is unknown: a restore from a blob leaves no trace, and the \
                          trace of a backup that another run restored may be that run's. Inspect the app, and restore \
                          again if it was not restored";
            given_up(input, attempt, Cause::AnswerLost, detail.to_owned())
        }),
    }
}

/// Azure has restored. A drill with a probe goes on to verify the app.
fn restored(input: &StepInput<'_>) -> Next {
    match &input.run.task {
        Task::Drill(drill) if drill.probe.is_some() => {
            Next::new(vec![RunEvent::Completed { backup: None, detail: None }], input.now)
        }
        _ => completed(input),
    }
}
