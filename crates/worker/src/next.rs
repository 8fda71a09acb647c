//! The result of a transition.

use holdfast_model::{Call, RunEvent, Timestamp};

/// What a step commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    /// The events, oldest first.
    pub events: Vec<RunEvent>,
    /// When the next step is due.
    pub due_at: Timestamp,
    /// A request budget of the run's subscription that Azure reports as empty, and until when to close it.
    pub close: Option<(Call, Timestamp)>,
}

impl Next {
    /// Commits `events` and makes the run due at `due_at`.
    pub fn new(events: Vec<RunEvent>, due_at: Timestamp) -> Self {
        Self { events, due_at, close: None }
    }
}
