//! The state and the outcome of a run in a table cell.

use holdfast_control::runs::RunView;
use holdfast_model::{Cause, Outcome};

use crate::output::{Cell, Tone};

/// What a run is doing, or how it ended.
pub fn state_cell(run: &RunView) -> Cell {
    match (run.outcome, run.cause) {
        (Some(outcome), cause) => outcome_cell(outcome, cause),
        (None, Some(cause)) => Cell::from(format!("{}: {cause}", run.state.as_str())),
        (None, None) => Cell::from(run.state.as_str()),
    }
}

/// How a run ended, with the cause if there is one.
pub fn outcome_cell(outcome: Outcome, cause: Option<Cause>) -> Cell {
    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    Cell::toned(format!("{}{cause}", outcome.as_str()), tone_of(outcome))
}

fn tone_of(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Succeeded => Tone::Good,
        Outcome::Partial | Outcome::Missed | Outcome::Cancelled => Tone::Warn,
        Outcome::Failed | Outcome::Exhausted => Tone::Bad,
    }
}
