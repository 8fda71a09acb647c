//! A run's state, rebuilt from its events.

use crate::{Cause, FailureCounts, IllegalTransition, Outcome, RunEvent, RunState};

/// What a run's events alone say about its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The state.
    pub state: RunState,
    /// The failures.
    pub failure_counts: FailureCounts,
}

impl Fold {
    /// Folds events, oldest first. The first event must create a run.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Result<Self, IllegalTransition> {
        let mut events = events.into_iter();
        let state = match events.next() {
            Some(RunEvent::Missed { reason, .. }) => RunState::Ended {
                outcome: Outcome::Missed,
                cause: Some(Cause::from(*reason)),
                backup: None,
                verification: None,
            },
            Some(RunEvent::Planned { .. }) => RunState::Planned,
            Some(RunEvent::ActionRecorded { .. }) => RunState::action_recorded(),
            other => return Err(IllegalTransition::at_birth(other)),
        };
        let mut fold = Self { state, failure_counts: FailureCounts::default() };
        for event in events {
            let next = fold.state.next(event)?;
            fold.failure_counts.count(&fold.state, event);
            fold.state = next;
        }
        Ok(fold)
    }
}
