//! What a step commits, or why it commits nothing.

use crate::next::Next;
use crate::send_window::SendWindow;

/// What a step does with the store after its call.
#[derive(Debug)]
pub(crate) enum StepPlan {
    /// Commit; the step ends.
    Commit(Next),
    /// Commit the intent, and send its request in the same step.
    CommitThenSend {
        /// The intent.
        intent: Next,
        /// The time in which the request may leave.
        window: SendWindow,
    },
    /// Stop: the run's state asks for no action.
    NothingToDo,
    /// Stop: the worker was paused for too long between the intent and its request.
    SendWindowLapsed,
    /// Stop: the process or its host stood still since the load, so the intent could lapse before its window.
    HostSuspended,
}

impl From<Next> for StepPlan {
    fn from(next: Next) -> Self {
        Self::Commit(next)
    }
}
