//! What follows from the answers to a deletion run. Pure.

use holdfast_arm::{Backup, Error, ErrorKind};
use holdfast_model::{Attempt, BackupStatus, Cause, Delete, RunEvent, RunId, RunState};

use crate::ending::{Failure, completed, failed, succeeded};
use crate::look::CallFailure;
use crate::next::Next;
use crate::polling::poll_again;
use crate::reconcile::{look_failed, not_found};
use crate::request_failed::request_failed;
use crate::step_input::StepInput;

/// The DELETE was answered, or failed.
pub(super) fn answered(
    input: &StepInput<'_>,
    attempt: &Attempt,
    delete: &Delete,
    answer: Result<Option<Backup>, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(backup) => {
            let request_id = backup.and_then(|backup| backup.request_id);
            let accepted = RunEvent::Accepted { backup: delete.backup, accepted_at: input.now, request_id };
            Next::new(vec![accepted], input.now + input.run.policy_snapshot.poll.first)
        }
        // The list shows whether the backup was deleted or the app.
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            Next::new(vec![RunEvent::AnswerLost { detail: error.to_string() }], input.now)
        }
        Err(error) => request_failed(input, attempt, &error.into(), rng),
    }
}

/// Azure no longer has the backup, and an earlier deletion of it, `by`, may have taken effect: this one has nothing to do.
pub(super) fn already_deleted(input: &StepInput<'_>, delete: &Delete, by: RunId) -> Next {
    let gone = RunEvent::BackupLost {
        backup: delete.backup,
        blob: delete.blob.clone(),
        detail: "azure no longer knows it".to_owned(),
        deletion: Some(by),
    };
    succeeded(input, vec![gone])
}

/// Handles the lookup of the backup in the app's list, or its failure.
///
/// Absence is success: Azure removes a backup from the list a second after the DELETE, and may never report `Deleted`.
pub(super) fn polled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    delete: &Delete,
    listed: Result<Option<Backup>, CallFailure>,
    rng: &mut fastrand::Rng,
) -> Next {
    let since = match input.run.state {
        RunState::Polling { accepted_at, .. } => accepted_at,
        _ => attempt.begun_at,
    };
    let backup = match listed {
        Err(failure) => return look_failed(input, attempt, since, &failure, rng),
        Ok(Some(backup)) if backup.is_stored_as(&delete.blob) => backup,
        Ok(_) => return completed(input),
    };
    match (&backup.status, &input.run.state) {
        (BackupStatus::Deleted, _) => completed(input),
        (BackupStatus::DeleteFailed, _) => {
            let (status, cause) = (Some(backup.status), Cause::DeleteFailed);
            let detail = backup.log.unwrap_or_default();
            failed(input, attempt, Failure { status, cause, detail, backup: None }, rng)
        }
        (status, RunState::Polling { status: last, .. }) => {
            let mut next = poll_again(input, attempt, since, None, rng);
            if status != last {
                next.events.insert(0, RunEvent::StatusSeen { status: status.clone() });
            }
            next
        }
        (BackupStatus::DeleteInProgress, _) => {
            let (attempt, accepted_at) = (attempt.clone(), attempt.begun_at);
            let adopted = RunEvent::Adopted { attempt, backup: delete.backup, accepted_at };
            Next::new(vec![adopted], input.now + input.run.policy_snapshot.poll.first)
        }
        _ => {
            let detail = |looks| format!("backup {} was not being deleted in {looks} looks", delete.backup);
            not_found(input, attempt, detail, rng)
        }
    }
}
