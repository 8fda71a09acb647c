//! What a run needs next. Pure.

use holdfast_model::{Run, RunState};

/// The one thing a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Get ready for the request: a SAS that will last, and nothing of a lost attempt turned up.
    Prepare,
    /// Make the request. Only in the hands of whoever has just committed the intent.
    Request,
    /// Look for what a request has made whose fate is unknown.
    Look,
    /// Ask Azure how it goes.
    Ask,
    /// Check what was made.
    Check,
    /// The run is over.
    Nothing,
}

/// Decides. `intent_is_mine` says that this very step committed the intent: nobody else may know whether the request has
/// left, so nobody else may make it.
pub(crate) fn decide(run: &Run, intent_is_mine: bool) -> Action {
    match run.state {
        RunState::Planned | RunState::Waiting { .. } => Action::Prepare,
        RunState::Starting { .. } if intent_is_mine => Action::Request,
        RunState::Starting { .. } | RunState::Reconciling { .. } => Action::Look,
        RunState::Polling { .. } | RunState::PollingOperation { .. } => Action::Ask,
        RunState::Verifying { .. } => Action::Check,
        RunState::Ended { .. } => Action::Nothing,
    }
}
