//! The lines of a committed change. Pure.

use holdfast_model::{
    BackupFacts, BackupId, Cause, Outcome, Run, RunEvent, RunKind, SasRefresh, Timestamp, Verification,
    format_timestamp,
};
use holdfast_store::Change;

use super::line::{Line, noun};

/// The lines of a committed change, oldest first.
///
/// Each start, failed attempt, SAS refresh and end has one line. The error of the attempt that ends the run is in the
/// line of the end. What repeats while a run waits or polls has none: it would bury the rest.
pub fn lines(change: &Change) -> Vec<Line> {
    let last_error = change.events.iter().filter_map(error_of).next_back();
    change.events.iter().filter_map(|event| line(&change.run, event, last_error, change.at)).collect()
}

fn line(run: &Run, event: &RunEvent, last_error: Option<&str>, at: Timestamp) -> Option<Line> {
    let what = noun(run.task.kind());
    match event {
        RunEvent::Accepted { backup, .. } => Some(started(run, Some(backup.0), format!("{what} started"))),
        RunEvent::OperationAccepted { .. } => Some(started(run, None, format!("{what} started"))),
        RunEvent::Adopted { backup, .. } => Some(started(
            run,
            Some(backup.0),
            format!("{what} started; it was found after its answer was lost"),
        )),
        RunEvent::AnswerLost { detail } => {
            let message = format!("the answer to the {what} request was lost; looking for its result");
            Some(Line { detail: Some(detail.clone()), attempt: attempt(run), ..Line::of_run(run, message) })
        }
        RunEvent::OrphanFound { backup, number, .. } => {
            let line = Line::of_run(run, "a late backup of an earlier attempt was found");
            Some(Line { attempt: Some(*number), backup: Some(backup.0), ..line })
        }
        RunEvent::AttemptEnded { number, cause, detail, retry_at: Some(retry_at), .. } => {
            let line = attempt_failed(run, (*cause, detail), *retry_at);
            Some(Line { attempt: Some(*number), ..line })
        }
        RunEvent::StartRefused { cause, detail, retry_at: Some(retry_at) } => {
            Some(attempt_failed(run, (*cause, detail), *retry_at))
        }
        RunEvent::Deferred { cause, detail, until } if cause.needs_operator() => {
            let line = Line::of_run(run, format!("{what} waits")).because(*cause, detail).again_at(*until);
            Some(Line { is_warning: true, ..line })
        }
        RunEvent::SasRefreshed { refresh } => Some(refreshed(run, refresh)),
        RunEvent::Ended { outcome, cause, backup, verification } => {
            let end = RunEnd { outcome: *outcome, cause: *cause, verification: *verification };
            ended(run, end, backup.as_ref(), last_error, at)
        }
        RunEvent::BackupLost { .. }
        | RunEvent::BackupFoundAgain { .. }
        | RunEvent::BackupChanged { .. }
        | RunEvent::BackupVerified { .. }
        | RunEvent::LateBackupFound { .. }
        | RunEvent::ScheduleCompared { .. } => found(run, event),
        RunEvent::AttemptEnded { .. }
        | RunEvent::StartRefused { .. }
        | RunEvent::Deferred { .. }
        | RunEvent::Planned { .. }
        | RunEvent::ActionRecorded { .. }
        | RunEvent::Missed { .. }
        | RunEvent::AttemptStarted { .. }
        | RunEvent::Absent { .. }
        | RunEvent::StatusSeen { .. }
        | RunEvent::Completed { .. }
        | RunEvent::PartiallyCompleted { .. }
        | RunEvent::CheckFailed { .. }
        | RunEvent::CancelRequested { .. }
        | RunEvent::BackupsMissing { .. } => None,
    }
}

/// The line of what a check of the catalog found.
fn found(run: &Run, event: &RunEvent) -> Option<Line> {
    let of = |backup: BackupId, message: &str| Line { backup: Some(backup.0), ..Line::of_run(run, message) };
    Some(match event {
        RunEvent::BackupLost { backup, deletion: Some(_), .. } => {
            of(*backup, "backup deleted; the answer to its deletion was lost")
        }
        RunEvent::BackupLost { backup, detail, deletion: None, .. } => {
            Line { is_warning: true, detail: Some(detail.clone()), ..of(*backup, "backup lost") }
        }
        RunEvent::BackupFoundAgain { backup, .. } => of(*backup, "lost backup is back"),
        RunEvent::BackupChanged { backup, updates, differences, .. } => Line {
            is_warning: true,
            detail: Some([updates.as_slice(), differences].concat().join("; ")),
            ..of(*backup, "backup changed at azure; it is not good until it is verified")
        },
        RunEvent::BackupVerified { backup, size_bytes, .. } => {
            Line { size_bytes: Some(*size_bytes), ..of(*backup, "backup verified") }
        }
        RunEvent::LateBackupFound { backup, .. } => Line {
            size_bytes: Some(backup.size_bytes),
            ..of(backup.id, "a backup of a run that had ended was found")
        },
        RunEvent::ScheduleCompared { drift, .. } if drift.is_empty() => {
            Line::of_run(run, "Azure's own schedule matches the policy again")
        }
        RunEvent::ScheduleCompared { drift, .. } => Line {
            is_warning: true,
            detail: Some(drift.join("; ")),
            ..Line::of_run(run, "Azure's own schedule differs from the policy")
        },
        _ => return None,
    })
}

/// How a run ended.
#[derive(Clone, Copy)]
struct RunEnd {
    outcome: Outcome,
    cause: Option<Cause>,
    verification: Option<Verification>,
}

fn started(run: &Run, backup: Option<i64>, message: String) -> Line {
    let line = Line::of_run(run, message);
    Line { attempt: attempt(run), backup: backup.or(line.backup), ..line }
}

fn attempt_failed(run: &Run, (cause, detail): (Cause, &str), retry_at: Timestamp) -> Line {
    let message = format!("{} attempt failed; trying again", noun(run.task.kind()));
    let line = Line::of_run(run, message).because(cause, detail).again_at(retry_at);
    Line { is_warning: cause.needs_operator(), ..line }
}

fn refreshed(run: &Run, refresh: &SasRefresh) -> Line {
    let line = Line::of_run(run, format!("SAS refreshed: {}", refresh.reason.as_str()));
    Line {
        storage: Some(refresh.storage.as_str().to_owned()),
        expires: refresh.new.window.expiry.map(format_timestamp),
        backup: refresh.backup.map(|backup| backup.0).or(line.backup),
        ..line
    }
}

fn ended(
    run: &Run,
    end: RunEnd,
    backup: Option<&BackupFacts>,
    last_error: Option<&str>,
    at: Timestamp,
) -> Option<Line> {
    let RunEnd { outcome, cause, verification } = end;
    let kind = run.task.kind();
    let message = match outcome {
        // What it did or found has lines already.
        Outcome::Succeeded if matches!(kind, RunKind::RefreshSas | RunKind::CheckCatalog) => return None,
        Outcome::Succeeded => format!("{} succeeded", noun(kind)),
        Outcome::Partial => format!("{} is partial", noun(kind)),
        Outcome::Failed => format!("{} failed", noun(kind)),
        Outcome::Exhausted => format!("{} failed after all attempts", noun(kind)),
        Outcome::Cancelled => format!("{} cancelled", noun(kind)),
        Outcome::Missed => return None,
    };
    let is_good = matches!(outcome, Outcome::Succeeded | Outcome::Cancelled);
    let line = Line::of_run(run, message);
    Some(Line {
        is_warning: !is_good,
        outcome: Some(outcome.as_str()),
        cause: cause.map(Cause::as_str),
        detail: last_error.filter(|_| !is_good).map(ToOwned::to_owned),
        backup: backup.map(|backup| backup.id.0).or(line.backup),
        size_bytes: backup.map(|backup| backup.size_bytes),
        verification: verification.map(Verification::as_str),
        took_seconds: Some((at - run.created_at).to_std().unwrap_or_default().as_secs_f64()),
        ..line
    })
}

fn attempt(run: &Run) -> Option<u32> {
    run.state.attempt().map(|attempt| attempt.number)
}

/// The error of an attempt that ended or could not start.
fn error_of(event: &RunEvent) -> Option<&str> {
    match event {
        RunEvent::AttemptEnded { detail, .. } | RunEvent::StartRefused { detail, .. } => Some(detail),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
