//! A run and its events in words. Pure.

use holdfast_model::{Outcome, RunEvent, StateCode, Timestamp};

use crate::runs::RunView;
use crate::times::{age, bytes, until};
use crate::views::cause_advice::label;

/// How a run stands, in one sentence.
pub fn sentence(run: &RunView, now: Timestamp) -> String {
    let why = run.cause.map(|cause| format!(": {}", label(cause))).unwrap_or_default();
    let what = capitalized(&run.what);
    match run.outcome {
        Some(outcome) => {
            let ended = run.ended_at.map_or_else(String::new, |at| format!(" {}", age(at, now)));
            match outcome {
                Outcome::Succeeded => {
                    let size = run.backup.as_ref().map(|backup| format!(", {}", bytes(backup.size_bytes)));
                    format!("{what} succeeded{ended}{}.", size.unwrap_or_default())
                }
                Outcome::Partial => format!("{what} ended{ended} with a partial backup{why}."),
                Outcome::Failed => format!("{what} failed{ended}{why}."),
                Outcome::Exhausted => format!("{what} failed{ended} after all attempts{why}."),
                Outcome::Missed => format!("The tick was not run{why}."),
                Outcome::Cancelled => format!("{what} was cancelled{ended}."),
            }
        }
        None => format!("{what} of {}: {}.", run.name, doing(run, &why, now)),
    }
}

fn doing(run: &RunView, why: &str, now: Timestamp) -> String {
    let next = run.due_at.map_or_else(String::new, |at| until(at, now));
    match run.state {
        StateCode::Planned => format!("begins {next}"),
        StateCode::Waiting => format!("waits{why}; the next try is {next}"),
        StateCode::Starting => "asks Azure".to_owned(),
        StateCode::Reconciling => "the answer was lost; looks for what Azure made".to_owned(),
        StateCode::Polling | StateCode::PollingOperation => format!("Azure works; the next look is {next}"),
        StateCode::Verifying => format!("checks the result {next}"),
        StateCode::Comparing => format!("compares with Azure once more {next}"),
        StateCode::Ended => "done".to_owned(),
    }
}

/// An event for people.
pub fn title(event: &RunEvent) -> String {
    let text = match event {
        RunEvent::Planned { .. } => "Planned",
        RunEvent::ActionRecorded { .. } => "Recorded",
        RunEvent::Missed { .. } => "Not run",
        RunEvent::AttemptStarted { attempt, .. } => return format!("Attempt {} begins", attempt.number),
        RunEvent::StartRefused { .. } => "No attempt could start",
        RunEvent::Deferred { .. } => "Deferred",
        RunEvent::Accepted { .. } | RunEvent::OperationAccepted { .. } => "Accepted by Azure",
        RunEvent::AnswerLost { .. } => "Answer lost",
        RunEvent::Absent { .. } => "Looked for, not found",
        RunEvent::Adopted { .. } => "Found again",
        RunEvent::OrphanFound { .. } => "Late backup found",
        RunEvent::StatusSeen { .. } => "Azure's status",
        RunEvent::Completed { .. } => "Completed by Azure",
        RunEvent::PartiallyCompleted { .. } => "Completed in part by Azure",
        RunEvent::CheckFailed { .. } => "Check failed",
        RunEvent::AttemptEnded { number, .. } => return format!("Attempt {number} failed"),
        RunEvent::SasRefreshed { .. } => "SAS renewed",
        RunEvent::BackupsMissing { .. } => "Backups not found",
        RunEvent::BackupLost { .. } => "Backup lost",
        RunEvent::BackupFoundAgain { .. } => "Backup found again",
        RunEvent::BackupChanged { .. } => "Backup changed",
        RunEvent::BackupVerified { .. } => "Backup verified",
        RunEvent::LateBackupFound { .. } => "Late backup recorded",
        RunEvent::ScheduleCompared { .. } => "Schedule compared",
        RunEvent::CancelRequested { .. } => "Cancelled",
        RunEvent::Ended { .. } => "Ended",
    };
    text.to_owned()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
