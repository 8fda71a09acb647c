//! Deletions that ended without success, and may have taken effect all the same.

use holdfast_model::{BackupId, Cause, Outcome, Run, RunEvent, RunKind, RunState, Task};
use holdfast_store::RunFilter;

use crate::step_context::StepContext;

/// The newest deletions of an app among which the reason of a loss is looked for.
const DELETIONS_MAX: u32 = 200;

/// Reads the deletions of the app that `is_wanted` names and that may have taken effect.
pub(crate) async fn open_deletions(
    context: &StepContext<'_>,
    is_wanted: impl Fn(&Run) -> bool + Send,
) -> Result<Vec<Run>, holdfast_store::Error> {
    let store = &context.env.store;
    let app = Some(context.run().app.clone());
    let filter = RunFilter { app, kind: Some(RunKind::Delete), most: DELETIONS_MAX, ..RunFilter::default() };
    let is_candidate = |run: &Run| {
        matches!(run.state, RunState::Ended { outcome, .. } if outcome != Outcome::Succeeded)
            && is_wanted(run)
    };
    let mut open = Vec::new();
    for run in store.runs(&filter).await?.into_iter().filter(is_candidate) {
        let events = store.events(run.id).await?;
        let events: Vec<&RunEvent> = events.iter().map(|event| &event.event).collect();
        if may_have_taken_effect(&events) {
            open.push(run);
        }
    }
    Ok(open)
}

/// Whether the run deletes the backup with this number and blob.
pub(crate) fn is_deletion_of(run: &Run, backup: BackupId, blob: &str) -> bool {
    matches!(&run.task, Task::Delete(delete) if delete.backup == backup && delete.blob == blob)
}

/// Whether Azure accepted a request of a deletion, or may have: every attempt may have been sent that Azure did not refuse at once.
/// A deletion that Azure then reported as failed, or whose app was out of sight, may have taken effect all the same.
pub(crate) fn may_have_taken_effect(events: &[&RunEvent]) -> bool {
    let is_refusal = |event: &RunEvent| match event {
        RunEvent::Deferred { .. } => true,
        RunEvent::AttemptEnded { cause, .. } => !matches!(cause, Cause::AnswerLost | Cause::DeadlinePassed),
        _ => false,
    };
    events.iter().enumerate().any(|(place, event)| {
        let next = events.get(place + 1);
        matches!(event, RunEvent::AttemptStarted { .. }) && !next.is_some_and(|next| is_refusal(next))
    })
}
