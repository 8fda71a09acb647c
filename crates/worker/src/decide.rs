//! The action that a run's state asks for. Pure.

use holdfast_model::{Run, RunState};

use crate::send_window::SendWindow;

/// The one thing that a step does.
#[derive(Debug)]
pub(crate) enum Action {
    /// Prepare an attempt: obtain a SAS and secrets, and look for the backups of lost attempts.
    Prepare,
    /// Send the attempt's request. Only the step that committed the intent may do so.
    Send(SendWindow),
    /// Find out what a request did whose answer was lost.
    Reconcile,
    /// Ask Azure for the progress.
    Poll,
    /// Verify the result.
    Verify,
    /// Look again for backups that the last look missed.
    Compare,
    /// Do nothing: the run has ended.
    Nothing,
}

/// Chooses the action. `window` exists only in the step that committed the intent: no other worker knows whether the
/// request has left, so no other worker may send it.
pub(crate) fn decide(run: &Run, window: Option<SendWindow>) -> Action {
    match run.state {
        RunState::Planned | RunState::Waiting { .. } => Action::Prepare,
        RunState::Comparing { .. } => Action::Compare,
        RunState::Starting { .. } => window.map_or(Action::Reconcile, Action::Send),
        RunState::Reconciling { .. } => Action::Reconcile,
        RunState::Polling { .. } | RunState::PollingOperation { .. } => Action::Poll,
        RunState::Verifying { .. } => Action::Verify,
        RunState::Ended { .. } => Action::Nothing,
    }
}
