//! What a restore leaves behind. Pure.

use holdfast_model::{Attempt, Cause, Restore, Run, RunState, Timestamp};

use crate::step_input::StepInput;

/// The visible effect of a restore whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// An operation is in progress at the app: this restore or another operation.
    UnderWay,
    /// No operation is in progress. Azure reports that the backup was last restored at this time.
    Restored(Option<Timestamp>),
    /// No operation is in progress, and whether this restore took place cannot be determined.
    Unknowable,
}

/// Whether `other` may have left the trace that identifies `attempt`.
///
/// Azure reports the time of a backup's last restore, but not the app that it was restored into. Restores that ended
/// shortly before the attempt count, because Azure may report late. Restores that were given up while Azure was still
/// working count whenever they ended.
pub(super) fn may_share_trace(
    other: &Run,
    input: &StepInput<'_>,
    attempt: &Attempt,
    restore: &Restore,
) -> bool {
    let since = attempt.begun_at - input.settings.settle;
    let is_recent = other.ended_at.is_none_or(|ended_at| ended_at >= since);
    let reads_same = |other: &Restore| (&other.source, &other.blob) == (&restore.source, &restore.blob);
    other.id != input.run.id
        && (is_recent || was_given_up(other))
        && other.task.restore().is_some_and(reads_same)
}

/// Whether the run ended without Azure's final answer.
fn was_given_up(run: &Run) -> bool {
    let RunState::Ended { cause: Some(cause), .. } = &run.state else { return false };
    matches!(cause, Cause::DeadlinePassed | Cause::AnswerLost)
}
