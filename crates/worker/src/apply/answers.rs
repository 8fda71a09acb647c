//! Azure was asked how a backup does.

use std::time::Duration;

use holdfast_arm::{Backup, ErrorKind};
use holdfast_model::{
    Attempt, BackupFacts, BackupStatus, Cause, PolicySnapshot, PollDecision, Run, RunEvent, RunKind,
    RunState, Timestamp, Verification, poll_decision, poll_delay,
};

use super::check::{Blobs, fault, good, left_behind, measured};
use super::ending::{Failure, failed};
use super::pauses::{asked_for, budget_to_close, pause, waits_because};
use super::{Next, Sight};

/// A partial backup that counts as good: it is looked at like a whole one before it does, where storage is in reach.
/// Azure tells a partial one as often as it is asked, so the look belongs to the question and needs no state of its own.
pub(crate) fn counts_in_part(
    sight: &Sight<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    answer: &Result<Backup, holdfast_arm::Error>,
) -> Option<BackupFacts> {
    let PolicySnapshot { verify, partial_is_good, .. } = sight.run.policy_snapshot;
    let backup = answer.as_ref().ok().filter(|_| verify && partial_is_good)?;
    (backup.status == BackupStatus::PartiallySucceeded).then(|| facts(attempt, accepted_at, backup))
}

/// The answer came, or did not. `accepted_at` and `seen` are what the run knew before; `blobs` is the look at a backup
/// that [`counts_in_part`].
pub(crate) fn asked(
    sight: &Sight<'_>,
    attempt: &Attempt,
    (accepted_at, seen): (Timestamp, &BackupStatus),
    (answer, blobs): (Result<Backup, holdfast_arm::Error>, Option<Result<Blobs, holdfast_storage::Error>>),
    rng: &mut fastrand::Rng,
) -> Next {
    let backup = match answer {
        Ok(backup) => backup,
        Err(error) => return not_answered(sight, attempt, accepted_at, &error, rng),
    };
    let mut next = match poll_decision(&backup.status, backup.log.as_deref()) {
        PollDecision::PollAgain => still_working(sight, attempt, accepted_at, backup.retry_after, rng),
        PollDecision::PollAgainAndWarn => {
            let (app, status) = (sight.run.app.short_name(), &backup.status);
            tracing::warn!(app, %status, "azure told a backup status that is not documented; asking again");
            still_working(sight, attempt, accepted_at, backup.retry_after, rng)
        }
        PollDecision::CheckBlob => completed(sight, attempt, accepted_at, &backup, rng),
        PollDecision::Fail(Cause::PartiallySucceeded) => {
            partial(sight, attempt, (accepted_at, &backup), blobs.transpose(), rng)
        }
        PollDecision::Fail(cause) => {
            let detail = backup.log.clone().unwrap_or_default();
            let failure = Failure { status: Some(backup.status.clone()), cause, detail, backup: None };
            failed(sight, attempt, failure, rng)
        }
    };
    if backup.status != *seen {
        next.events.insert(0, RunEvent::StatusSeen { status: backup.status });
    }
    next
}

fn completed(
    sight: &Sight<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    backup: &Backup,
    rng: &mut fastrand::Rng,
) -> Next {
    let facts = facts(attempt, accepted_at, backup);
    let completed = RunEvent::Completed { backup: Some(facts.clone()), detail: backup.log.clone() };
    // Where storage is out of reach there is a check only for what a lost attempt may have left behind.
    if sight.run.policy_snapshot.verify || !sight.run.failure_counts.missing.is_empty() {
        return Next::new(vec![completed], sight.now);
    }
    let mut next = good(sight, attempt, &facts, Verification::OutOfReach, rng);
    next.events.insert(0, completed);
    next
}

/// Files are missing from the backup; and more, where its blobs were looked at.
fn partial(
    sight: &Sight<'_>,
    attempt: &Attempt,
    (accepted_at, backup): (Timestamp, &Backup),
    blobs: Result<Option<Blobs>, holdfast_storage::Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    let facts = facts(attempt, accepted_at, backup);
    let blobs = match blobs {
        Ok(blobs) => blobs,
        Err(error) => return look_later(sight, attempt, accepted_at, &error, rng),
    };
    let status = Some(backup.status.clone());
    if let Some((blobs, (cause, detail))) = blobs.and_then(|blobs| Some((blobs, fault(sight, blobs)?))) {
        let backup = left_behind(&facts, blobs);
        return failed(sight, attempt, Failure { status, cause, detail, backup }, rng);
    }
    let made = blobs.map_or_else(|| facts.clone(), |blobs| measured(&facts, blobs));
    let (cause, detail) = (Cause::PartiallySucceeded, backup.log.clone().unwrap_or_default());
    failed(sight, attempt, Failure { status, cause, detail, backup: Some(made) }, rng)
}

/// Azure is asked again, and storage with it, until the deadline.
fn look_later(
    sight: &Sight<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    error: &holdfast_storage::Error,
    rng: &mut fastrand::Rng,
) -> Next {
    tracing::info!(app = sight.run.app.short_name(), %error, "a partial backup cannot be looked at yet");
    let why = error.to_string();
    past_deadline(sight, attempt, accepted_at, &why, rng).unwrap_or_else(|| {
        let waited = (sight.now - accepted_at).to_std().unwrap_or_default();
        Next::new(Vec::new(), sight.now + poll_delay(&sight.run.policy_snapshot.poll, waited, None, rng))
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

/// Azure is at work: it is asked again, until the deadline.
pub(super) fn still_working(
    sight: &Sight<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    retry_after: Option<Duration>,
    rng: &mut fastrand::Rng,
) -> Next {
    if let Some(over) = past_deadline(sight, attempt, accepted_at, "azure had no final answer", rng) {
        return over;
    }
    let PolicySnapshot { poll, deadline, .. } = &sight.run.policy_snapshot;
    let waited = (sight.now - accepted_at).to_std().unwrap_or_default();
    let pause = poll_delay(poll, waited, sight.typical, rng).max(retry_after.unwrap_or_default());
    // The deadline itself is a time to ask: the answer may be final by then.
    let last = (accepted_at + *deadline).max(sight.now + poll.first);
    Next::new(Vec::new(), (sight.now + pause).min(last))
}

fn not_answered(
    sight: &Sight<'_>,
    attempt: &Attempt,
    accepted_at: Timestamp,
    error: &holdfast_arm::Error,
    rng: &mut fastrand::Rng,
) -> Next {
    let cause = match error.kind() {
        // The app's other runs will tell if the app is gone; this backup certainly is, unless it is so new that Azure
        // may not show it yet.
        ErrorKind::NotFound if sight.now >= accepted_at + sight.settings.settle => Cause::DeletedOutside,
        ErrorKind::Forbidden => Cause::AppForbidden,
        _ => return ask_later(sight, attempt, accepted_at, error, rng),
    };
    let backup = unfinished(sight.run, attempt).filter(|_| cause == Cause::AppForbidden);
    failed(sight, attempt, Failure { backup, ..Failure::new(cause, error.to_string()) }, rng)
}

/// What Azure may finish although nobody waits for it any more.
fn unfinished(run: &Run, attempt: &Attempt) -> Option<BackupFacts> {
    let (RunKind::Backup, RunState::Polling { backup, accepted_at, .. }) = (run.task.kind(), &run.state)
    else {
        return None;
    };
    Some(BackupFacts {
        id: *backup,
        blob: format!("{}.zip", attempt.name),
        size_bytes: 0,
        accepted_at: *accepted_at,
        finished_at: None,
        databases: Vec::new(),
    })
}

/// No answer to a question: it is asked again, until the deadline.
pub(super) fn ask_later(
    sight: &Sight<'_>,
    attempt: &Attempt,
    since: Timestamp,
    error: &holdfast_arm::Error,
    rng: &mut fastrand::Rng,
) -> Next {
    tracing::info!(app = sight.run.app.short_name(), %error, "no answer; asking again later");
    if let Some(over) = past_deadline(sight, attempt, since, &error.to_string(), rng) {
        return over;
    }
    let cause = waits_because(error.kind()).unwrap_or(Cause::Unreachable);
    let waited = (sight.now - since).to_std().unwrap_or_default();
    // Trouble is no reason to ask more often than answers would be.
    let pace = poll_delay(&sight.run.policy_snapshot.poll, waited, None, rng);
    let wait = pause(cause, 0, asked_for(error), rng).max(pace);
    let mut next = Next::new(Vec::new(), sight.now + wait);
    next.close = budget_to_close(sight, error.kind(), error.operation().call(), wait);
    next
}

/// Past the deadline the attempt is over and so is the run: Azure may still be at work, so no other is begun.
fn past_deadline(
    sight: &Sight<'_>,
    attempt: &Attempt,
    since: Timestamp,
    why: &str,
    rng: &mut fastrand::Rng,
) -> Option<Next> {
    let deadline = sight.run.policy_snapshot.deadline;
    (sight.now >= since + deadline).then(|| {
        let detail = format!("{} s after the start: {why}", deadline.as_secs());
        let backup = unfinished(sight.run, attempt);
        failed(sight, attempt, Failure { backup, ..Failure::new(Cause::DeadlinePassed, detail) }, rng)
    })
}
