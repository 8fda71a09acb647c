//! What a run needs next. Pure.

use holdfast_model::{Run, RunState};

/// The one thing a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Get ready to POST: a SAS that will last, and no backup of a lost attempt turned up.
    Prepare,
    /// POST. Only in the hands of whoever has just committed the intent.
    Post,
    /// Look in the app's list for the backup of a POST whose fate is unknown.
    Look,
    /// Ask Azure how the backup does.
    Ask,
    /// Check the finished backup's blob.
    Check,
    /// The run is over.
    Nothing,
}

/// Decides. `intent_is_mine` says that this very step committed the intent to POST: nobody else may know whether the
/// POST has left, so nobody else may POST.
pub(crate) fn decide(run: &Run, intent_is_mine: bool) -> Action {
    match run.state {
        RunState::Planned | RunState::Waiting { .. } => Action::Prepare,
        RunState::Starting { .. } if intent_is_mine => Action::Post,
        RunState::Starting { .. } | RunState::Settling { .. } => Action::Look,
        RunState::Polling { .. } | RunState::Following { .. } => Action::Ask,
        RunState::Verifying { .. } => Action::Check,
        RunState::Ended { .. } => Action::Nothing,
    }
}
