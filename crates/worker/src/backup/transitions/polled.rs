//! From a poll to the next one, to the verification, or to the end of the attempt.

use holdfast_arm::Backup;
use holdfast_model::{
    Attempt, BackupFacts, BackupStatus, Cause, PolicySnapshot, PollDecision, RunEvent, Timestamp,
    Verification, cure_in_log, poll_decision,
};

use super::verified::{good, left_out_files};
use crate::ending::{Failure, failed};
use crate::look::{AbsentByTwoLooks, CallFailure};
use crate::next::Next;
use crate::polling::poll_again;
use crate::reconcile::{absent, look_failed};
use crate::step_input::StepInput;

/// The answer to a poll, and what the run knew before it.
pub(in crate::backup) struct PollAnswer<'a> {
    /// Azure's answer.
    pub answer: Result<Backup, CallFailure>,
    /// When Azure accepted the POST.
    pub accepted_at: Timestamp,
    /// The last status that the run recorded.
    pub last_status: &'a BackupStatus,
}

/// A poll was answered, or failed.
pub(in crate::backup) fn polled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    poll: PollAnswer<'_>,
    rng: &mut fastrand::Rng,
) -> Next {
    let PollAnswer { answer, accepted_at, last_status } = poll;
    let backup = match answer {
        Ok(backup) => backup,
        Err(failure) => return poll_failed(input, attempt, accepted_at, &failure, rng),
    };
    let mut next = match poll_decision(&backup.status, backup.log.as_deref()) {
        PollDecision::PollAgain => poll_again(input, attempt, accepted_at, backup.retry_after, rng),
        PollDecision::PollAgainAndWarn => {
            let (app, status) = (input.run.app.short_name(), &backup.status);
            tracing::warn!(app, %status, "azure returned an undocumented backup status; polling again");
            poll_again(input, attempt, accepted_at, backup.retry_after, rng)
        }
        PollDecision::CheckBlob => {
            completed(input, attempt, &facts(attempt, accepted_at, &backup), &backup, rng)
        }
        PollDecision::Fail(Cause::PartiallySucceeded) => {
            partial(input, attempt, facts(attempt, accepted_at, &backup), &backup, rng)
        }
        PollDecision::Fail(cause) => {
            let log = backup.log.clone().unwrap_or_default();
            let detail = match cure_in_log(&log) {
                Some(cure) if cause == Cause::DatabaseRefused => format!("{cure}: {log}"),
                _ => log,
            };
            let failure = Failure { status: Some(backup.status.clone()), cause, detail, backup: None };
            failed(input, attempt, failure, rng)
        }
    };
    // The status is recorded again after looks that did not find the backup: it was found.
    if backup.status != *last_status || input.run.state.absences().looks > 0 {
        next.events.insert(0, RunEvent::StatusSeen { status: backup.status });
    }
    next
}

/// Azure reports success.
fn completed(
    input: &StepInput<'_>,
    attempt: &Attempt,
    made: &BackupFacts,
    backup: &Backup,
    rng: &mut fastrand::Rng,
) -> Next {
    let completed = RunEvent::Completed { backup: Some(made.clone()), detail: backup.log.clone() };
    // Where storage is not reachable, the verification only looks for the backups of lost attempts.
    if input.run.policy_snapshot.verify || !input.run.failure_counts.missing.is_empty() {
        return Next::new(vec![completed], input.now);
    }
    let mut next = good(input, attempt, made, Verification::OutOfReach, rng);
    next.events.insert(0, completed);
    next
}

/// Azure reports that files are missing from the backup. One that would count as good is checked first, where storage is in
/// reach: as a complete one, in steps of their own, so that a storage that does not answer occupies no app.
fn partial(
    input: &StepInput<'_>,
    attempt: &Attempt,
    made: BackupFacts,
    backup: &Backup,
    rng: &mut fastrand::Rng,
) -> Next {
    let log = backup.log.clone().unwrap_or_default();
    let PolicySnapshot { verify, partial_is_good, .. } = input.run.policy_snapshot;
    if verify && partial_is_good {
        return Next::new(vec![RunEvent::PartiallyCompleted { backup: made, log }], input.now);
    }
    failed(input, attempt, left_out_files(made, log), rng)
}

fn facts(attempt: &Attempt, accepted_at: Timestamp, backup: &Backup) -> BackupFacts {
    BackupFacts {
        id: backup.id,
        blob: backup.blob_name.clone().unwrap_or_else(|| format!("{}.zip", attempt.name)),
        size_bytes: backup.size_bytes.unwrap_or(0),
        accepted_at,
        finished_at: backup.finished,
        databases: backup.databases.clone(),
    }
}

fn poll_failed(
    input: &StepInput<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    failure: &CallFailure,
    rng: &mut fastrand::Rng,
) -> Next {
    match failure.absent {
        // The backup was deleted, unless it is so new that Azure may not show it yet.
        Some(AbsentByTwoLooks::Backup) if input.now >= accepted_at + input.settings.settle => {
            absent(input, |looks| {
                let detail = format!("the backup was absent in {looks} looks: {}", failure.error);
                failed(input, attempt, Failure::new(Cause::DeletedOutside, detail), rng)
            })
        }
        _ => look_failed(input, attempt, accepted_at, failure, rng),
    }
}
