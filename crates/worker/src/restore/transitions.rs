//! What follows from the answers to a restore run. Pure.

use holdfast_arm::{Error, ErrorKind, Progress, Started};
use holdfast_model::{Attempt, BackupStatus, Cause, RunEvent, Task, Timestamp};

use super::trace::Trace;
use crate::ending::{Failure, completed, failed, given_up};
use crate::look::CallFailure;
use crate::next::Next;
use crate::polling::poll_again;
use crate::reconcile::{absent, look_failed, not_found};
use crate::request_failed::request_failed;
use crate::step_input::StepInput;

/// The POST was answered, or failed.
pub(super) fn answered(
    input: &StepInput<'_>,
    attempt: &Attempt,
    answer: Result<Started, CallFailure>,
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
        Err(failure) => request_failed(input, attempt, &failure, rng),
    }
}

/// The answer to a poll of the operation.
pub(super) struct OperationAnswer {
    /// Azure's answer.
    pub answer: Result<Progress, Error>,
    /// The restore's trace, where the answer [`may_be_final`].
    pub trace: Option<Result<Trace, Error>>,
    /// When Azure accepted the restore.
    pub accepted_at: Timestamp,
}

/// Whether the error may be Azure's final answer: App Service answers a failed restore with 500 `InternalServerError` on
/// the operation's link (Azure/azure-powershell #10614), and its own trouble too.
pub(super) fn may_be_final(error: &Error) -> bool {
    error.status() == Some(500)
}

/// A poll of the operation was answered, or failed.
pub(super) fn polled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    answer: OperationAnswer,
    rng: &mut fastrand::Rng,
) -> Next {
    let OperationAnswer { answer, trace, accepted_at } = answer;
    match answer {
        Ok(Progress::UnderWay { retry_after }) => {
            let mut next = poll_again(input, attempt, accepted_at, retry_after, rng);
            if input.run.state.absences().looks > 0 {
                next.events.insert(0, RunEvent::StatusSeen { status: BackupStatus::InProgress });
            }
            next
        }
        Ok(Progress::Done) => restored(input),
        Ok(Progress::Failed { detail }) => {
            failed(input, attempt, Failure::new(Cause::RestoreFailed, detail), rng)
        }
        // Azure keeps the results of operations only for a while. The next step looks for the restore's trace instead.
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            Next::new(vec![RunEvent::AnswerLost { detail: error.to_string() }], input.now)
        }
        Err(error) => match trace {
            Some(Ok(Trace::Restored(at))) if is_new(attempt, at) => restored(input),
            // No operation is in progress, and Azure's answer says that it failed.
            Some(Ok(Trace::Restored(_) | Trace::Unknowable)) => absent(input, |looks| {
                let detail = format!("no operation was in progress in {looks} looks, and {error}");
                failed(input, attempt, Failure::new(Cause::RestoreFailed, detail), rng)
            }),
            Some(_) | None => look_failed(input, attempt, accepted_at, &error.into(), rng),
        },
    }
}

fn is_new(attempt: &Attempt, restored_at: Option<Timestamp>) -> bool {
    restored_at.is_some() && restored_at != attempt.restored_before
}

/// Handles the lookup of the trace after a lost answer, or its failure.
pub(super) fn reconciled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    trace: Result<Trace, CallFailure>,
    rng: &mut fastrand::Rng,
) -> Next {
    let trace = match trace {
        Ok(trace) => trace,
        Err(failure) => return look_failed(input, attempt, attempt.begun_at, &failure, rng),
    };
    match trace {
        Trace::UnderWay => poll_again(input, attempt, attempt.begun_at, None, rng),
        Trace::Restored(at) if is_new(attempt, at) => restored(input),
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
