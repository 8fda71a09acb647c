//! From a poll to the next one, to the verification, or to the end of the attempt.

use holdfast_arm::Backup;
use holdfast_model::{
    Attempt, BackupFacts, BackupStatus, Cause, PolicySnapshot, PollDecision, RunEvent, Timestamp,
    Verification, cure_in_log, poll_decision, poll_delay,
};

use super::verified::good;
use crate::backup::blobs::BackupBlobs;
use crate::ending::{Failure, failed};
use crate::look::{AbsentByTwoLooks, CallFailure};
use crate::next::Next;
use crate::polling::{deadline_passed, poll_again};
use crate::reconcile::{absent, look_failed};
use crate::step_input::StepInput;

/// The answer to a poll, and what the run knew before it.
pub(in crate::backup) struct PollAnswer<'a> {
    /// Azure's answer.
    pub answer: Result<Backup, CallFailure>,
    /// The blobs of a partial backup that [`counts_as_good`].
    pub blobs: Option<Result<BackupBlobs, holdfast_storage::Error>>,
    /// When Azure accepted the POST.
    pub accepted_at: Timestamp,
    /// The last status that the run recorded.
    pub last_status: &'a BackupStatus,
}

/// The facts of a partial backup that counts as good: reachable partial backups are verified before they count.
///
/// Azure returns a partial backup in every poll, so the verification belongs to the poll and needs no separate state.
pub(in crate::backup) fn counts_as_good(
    input: &StepInput<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    answer: &Result<Backup, CallFailure>,
) -> Option<BackupFacts> {
    let PolicySnapshot { verify, partial_is_good, .. } = input.run.policy_snapshot;
    let backup = answer.as_ref().ok().filter(|_| verify && partial_is_good)?;
    (backup.status == BackupStatus::PartiallySucceeded).then(|| facts(attempt, accepted_at, backup))
}

/// A poll was answered, or failed.
pub(in crate::backup) fn polled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    poll: PollAnswer<'_>,
    rng: &mut fastrand::Rng,
) -> Next {
    let PollAnswer { answer, blobs, accepted_at, last_status } = poll;
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
            let made = facts(attempt, accepted_at, &backup);
            match blobs.transpose() {
                Ok(blobs) => partial(input, attempt, &made, blobs, &backup, rng),
                Err(error) => verify_later(input, attempt, accepted_at, &error, rng),
            }
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

/// Azure reports that files are missing from the backup. `blobs` may have a further fault.
fn partial(
    input: &StepInput<'_>,
    attempt: &Attempt,
    made: &BackupFacts,
    blobs: Option<BackupBlobs>,
    backup: &Backup,
    rng: &mut fastrand::Rng,
) -> Next {
    let status = Some(backup.status.clone());
    if let Some((blobs, fault)) = blobs.and_then(|blobs| Some((blobs, blobs.fault(input)?))) {
        let (cause, detail, backup) = (fault.cause, fault.detail, blobs.left_behind(made));
        return failed(input, attempt, Failure { status, cause, detail, backup }, rng);
    }
    let made = blobs.map_or_else(|| made.clone(), |blobs| blobs.measured(made));
    let (cause, detail) = (Cause::PartiallySucceeded, backup.log.clone().unwrap_or_default());
    failed(input, attempt, Failure { status, cause, detail, backup: Some(made) }, rng)
}

/// The blobs of a partial backup could not be read: polls and verifies again, until the deadline.
fn verify_later(
    input: &StepInput<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    error: &holdfast_storage::Error,
    rng: &mut fastrand::Rng,
) -> Next {
    tracing::info!(app = input.run.app.short_name(), %error, "a partial backup cannot be verified yet");
    deadline_passed(input, attempt, accepted_at, &error.to_string(), rng).unwrap_or_else(|| {
        let waited = (input.now - accepted_at).to_std().unwrap_or_default();
        Next::new(Vec::new(), input.now + poll_delay(&input.run.policy_snapshot.poll, waited, None, rng))
    })
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
