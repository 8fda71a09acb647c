//! Acts: which events of the audit people caused. SQL stores have the same rule in an index.

use holdfast_model::{OperatorAction, RunEvent};

/// Whether a person caused the event. What a sync of the fleet file records of single apps does not count: a changed file
/// is one act, and may enrol ten thousand apps.
pub(crate) fn is_act(event: &RunEvent) -> bool {
    match event {
        RunEvent::Planned { actor, .. } => actor.is_some(),
        RunEvent::CancelRequested { .. } => true,
        RunEvent::ActionRecorded { action, .. } => !matches!(
            action,
            OperatorAction::Enrolled { .. }
                | OperatorAction::PolicyChanged { .. }
                | OperatorAction::TagsChanged { .. }
                | OperatorAction::LeftFleet { .. }
        ),
        _ => false,
    }
}
