//! Acknowledgements: a person says that a run which did not succeed needs no more attention.

use holdfast_model::{Actor, AppId, OperatorAction, Outcome, Run, RunId, RunState};
use holdfast_store::Store;

use crate::operator_actions::{about_app, reason};
use crate::{Error, ErrorKind};

/// A request to acknowledge a run.
#[derive(Debug, Clone)]
pub struct AcknowledgeRequest {
    /// The run.
    pub run: RunId,
    /// What the person says about it.
    pub note: String,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// Acknowledges a run that did not succeed, and returns its app.
///
/// The app's failures up to this run leave the counts of what needs attention. An app past its objective stays past its
/// objective, and the next failure counts again.
pub async fn acknowledge(
    store: &dyn Store,
    request: &AcknowledgeRequest,
    rng: &mut fastrand::Rng,
) -> Result<AppId, Error> {
    let note = reason(&request.note, "an acknowledgement")?;
    let Some(loaded) = store.load(request.run).await? else {
        let what = format!("the store has no run {}", request.run);
        return Err(Error::new(ErrorKind::NotFound, what).help("the activity lists the runs"));
    };
    check(&loaded.run)?;
    let action = OperatorAction::Acknowledged { run: request.run, note };
    let app = loaded.run.app;
    store.add_run(&about_app(&app, (action, request.actor.clone()), loaded.now, rng)).await?;
    Ok(app)
}

/// Refuses a run with nothing to acknowledge.
fn check(run: &Run) -> Result<(), Error> {
    let refused = |why: &str| {
        let what = format!("run {} of {} {why}", run.id, run.app.short_name());
        Err(Error::new(ErrorKind::Conflict, what).help("acknowledge a run that did not succeed"))
    };
    match run.state {
        RunState::Ended { outcome: Outcome::Succeeded, .. } => refused("succeeded"),
        RunState::Ended { outcome: Outcome::Cancelled, .. } => refused("was cancelled by a person"),
        RunState::Ended { .. } => Ok(()),
        _ => refused("has not ended"),
    }
}
