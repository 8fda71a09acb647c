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
            fold.advance(event)?;
        }
        Ok(fold)
    }

    /// Adds the next event. An illegal one changes nothing.
    pub fn advance(&mut self, event: &RunEvent) -> Result<(), IllegalTransition> {
        let next = self.state.next(event)?;
        self.failure_counts.count(&self.state, event);
        self.state = next;
        Ok(())
    }
}
