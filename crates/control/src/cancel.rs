//! Cancelling runs that Azure was not asked to do.

use std::collections::BTreeSet;

use holdfast_model::{Actor, AppId, Cause, Outcome, Run, RunEvent, RunId, RunState};
use holdfast_store::{Change, Committed, Loaded, RunFilter, Store};

use crate::operator_actions::reason;
use crate::{Error, ErrorKind};

/// Times that a run is looked at again, because a worker changed it meanwhile.
const TRIES: usize = 5;

/// A request to cancel a run.
#[derive(Debug, Clone)]
pub struct CancelRequest {
    /// The run.
    pub run: RunId,
    /// Why.
    pub reason: String,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// A run that was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelledRun {
    /// Its app.
    pub app: AppId,
    /// Whether Azure may still finish an earlier attempt of it, whose answer was lost. The next backup of the app records it.
    pub may_leave_backup: bool,
}

/// The unfinished runs of apps.
pub async fn unfinished(store: &dyn Store, apps: &BTreeSet<AppId>) -> Result<Vec<RunId>, Error> {
    let runs = store.runs(&RunFilter { unfinished: true, ..RunFilter::default() }).await?;
    Ok(runs.into_iter().filter(|run| apps.contains(&run.app)).map(|run| run.id).collect())
}

/// Ends a run that waits for its turn or between attempts.
///
/// The end is committed against the version that was read, so that a worker which began meanwhile goes on, and the request
/// is refused: Azure cannot stop what it works on, and a backup that nothing waits for would be lost.
pub async fn cancel(store: &dyn Store, request: &CancelRequest) -> Result<CancelledRun, Error> {
    let reason = reason(&request.reason, "a cancellation")?;
    for _ in 0..TRIES {
        let Some(Loaded { run, now, .. }) = store.load(request.run).await? else {
            let what = format!("the store has no run {}", request.run);
            return Err(Error::new(ErrorKind::NotFound, what).help("the activity lists the runs"));
        };
        check(&run)?;
        let asked = RunEvent::CancelRequested { reason: reason.clone(), actor: request.actor.clone() };
        let events = vec![asked, ended(&run)];
        let after = events.iter().try_fold(run.clone(), |run, event| run.after(event, now));
        let after = after.map_err(|error| Error::new(ErrorKind::Conflict, error.to_string()))?;
        let cancelled =
            CancelledRun { app: run.app.clone(), may_leave_backup: !run.failure_counts.missing.is_empty() };
        let change = Change { from: run.version, run: after, events, at: now };
        if let Committed::Done(_) = store.commit(&change).await? {
            return Ok(cancelled);
        }
    }
    let what = format!("run {} changes too often to be cancelled", request.run);
    Err(Error::new(ErrorKind::Conflict, what).help("try again in a moment"))
}

/// The end of a cancelled run. A partial backup of an earlier attempt stays its result.
fn ended(run: &Run) -> RunEvent {
    let backup = run.failure_counts.partial_backup.clone();
    let outcome = if backup.is_some() { Outcome::Partial } else { Outcome::Cancelled };
    RunEvent::Ended { outcome, cause: Some(Cause::Cancelled), backup, verification: None }
}

/// Refuses a run that has ended, and one that Azure was asked to do.
fn check(run: &Run) -> Result<(), Error> {
    let name = run.app.short_name();
    let (why, help) = match run.state {
        RunState::Planned | RunState::Waiting { .. } | RunState::Comparing { .. } => return Ok(()),
        RunState::Ended { .. } => ("has ended", "there is nothing left to cancel"),
        RunState::Starting { .. } | RunState::Reconciling { .. } => (
            "may have reached Azure already",
            "wait until it is known whether Azure took it; a run that waits can be cancelled",
        ),
        RunState::Polling { .. } | RunState::PollingOperation { .. } => {
            ("is under way at Azure, which cannot stop it", "let it end: Holdfast records what Azure makes")
        }
        RunState::Verifying { .. } => {
            ("is done at Azure, and its result is being checked", "let it end: the check takes a moment")
        }
    };
    Err(Error::new(ErrorKind::Conflict, format!("run {} of {name} {why}", run.id)).help(help))
}
