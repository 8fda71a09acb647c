//! What follows from a look at the backups of an app. Pure.

use std::time::Duration;

use holdfast_arm::ErrorKind;
use holdfast_model::{Cause, MissingBackup, Run, RunEvent, RunId, RunState};

use super::compare::{Findings, Missing};
use crate::deletions::is_deletion_of;
use crate::ending::{deferred, refused, succeeded};
use crate::next::Next;
use crate::not_ready::{NotReady, not_ready};
use crate::step_input::StepInput;

/// Pause between a look that misses something and the look that decides.
const LOOK_AGAIN_AFTER: Duration = Duration::from_mins(10);

/// Looks of one run. What is missing for the first time in the last one is left to the next run.
const LOOKS_MAX: u32 = 4;

/// The result of a look.
#[derive(Debug)]
pub(super) struct Comparison {
    /// What it found.
    pub findings: Findings,
    /// The record of Azure's own schedule, where there is something to record.
    pub schedule: Option<RunEvent>,
    /// Deletions that may have taken effect although they ended without success.
    pub deletions: Vec<Run>,
    /// Why some blobs could not be read.
    pub storage_error: Option<holdfast_storage::Error>,
}

/// A look succeeded: records what is certain, looks again for what is missing, or ends the run.
pub(super) fn compared(input: &StepInput<'_>, comparison: Comparison, rng: &mut fastrand::Rng) -> Next {
    let Comparison { findings: Findings { mut events, missing }, schedule, deletions, storage_error } =
        comparison;
    events.extend(schedule);
    let (before, looks): (&[MissingBackup], u32) = match &input.run.state {
        RunState::Comparing { missing, looks } => (missing, *looks),
        _ => (&[], 0),
    };
    let (lost, still_open): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|missing| before.contains(&missing.backup));
    events.extend(lost.into_iter().map(|missing| lost_event(missing, &deletions)));
    if !still_open.is_empty() && looks + 1 < LOOKS_MAX {
        let backups = still_open.into_iter().map(|missing| missing.backup).collect();
        events.push(RunEvent::BackupsMissing { backups, looked_at: input.now });
        return Next::new(events, input.now + LOOK_AGAIN_AFTER);
    }
    match storage_error {
        None => succeeded(input, events),
        Some(error) => {
            let mut next = not_ready(input, &NotReady::Storage(error), rng);
            next.events.splice(0..0, events);
            next
        }
    }
}

/// A look failed. An app that Azure does not know is looked for once more: one answer proves nothing.
pub(super) fn not_compared(input: &StepInput<'_>, why: &NotReady, rng: &mut fastrand::Rng) -> Next {
    let is_not_found = matches!(why, NotReady::Arm(error) if *error.kind() == ErrorKind::NotFound);
    let was_not_found = matches!(input.run.state, RunState::Waiting { cause: Cause::AppNotFound, .. });
    match (is_not_found, was_not_found) {
        (true, false) => {
            let until = input.now + LOOK_AGAIN_AFTER;
            deferred(input, Cause::AppNotFound, why.to_string(), until)
        }
        (true, true) => refused(input, Cause::AppNotFound, why.to_string(), rng),
        (false, _) => not_ready(input, why, rng),
    }
}

fn lost_event(missing: Missing, deletions: &[Run]) -> RunEvent {
    let Missing { backup: MissingBackup { id, blob }, detail } = missing;
    let deletion = deletions.iter().find(|run| is_deletion_of(run, id, &blob));
    let deletion: Option<RunId> = deletion.map(|run| run.id);
    RunEvent::BackupLost { backup: id, blob, detail, deletion }
}
