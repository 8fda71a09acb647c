//! Pauses: a person suspends the scheduled runs of apps for a time.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_model::{Actor, AppId, NewRun, OperatorAction, Timestamp, format_timestamp};
use holdfast_store::{AppStatus, Store};

use crate::operator_actions::{about_app, reason};
use crate::{Error, ErrorKind};

/// The longest pause. A longer one belongs into the fleet file, where others see it.
pub const LONGEST: Duration = Duration::from_hours(24 * 366);

/// A request to pause apps.
#[derive(Debug, Clone)]
pub struct PauseRequest {
    /// The apps.
    pub apps: BTreeSet<AppId>,
    /// When their schedules go on.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// A request to end the pauses of apps.
#[derive(Debug, Clone)]
pub struct ResumeRequest {
    /// The apps.
    pub apps: BTreeSet<AppId>,
    /// Why.
    pub reason: String,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// Suspends the scheduled backups, the retention and the drills of apps until a time: of all of them, or of none.
///
/// Runs under way go on, and a person can still back them up. Ticks of the pause are not run later. A second pause takes the
/// place of the first.
pub async fn pause(store: &dyn Store, request: &PauseRequest, rng: &mut fastrand::Rng) -> Result<(), Error> {
    let (statuses, now) = (statuses_of(store, &request.apps).await?, store.now().await?);
    let reason = reason(&request.reason, "a pause")?;
    statuses.iter().try_for_each(|status| check_end(status, request.until, now))?;
    let action = OperatorAction::PausedUntil { until: request.until, reason };
    record(store, &request.apps, (action, &request.actor), now, rng).await
}

/// Ends the pauses of apps by a person: of all of them, or of none. No tick is due at once.
pub async fn resume(
    store: &dyn Store,
    request: &ResumeRequest,
    rng: &mut fastrand::Rng,
) -> Result<(), Error> {
    let (statuses, now) = (statuses_of(store, &request.apps).await?, store.now().await?);
    let reason = reason(&request.reason, "the end of a pause")?;
    statuses.iter().try_for_each(check_paused)?;
    record(store, &request.apps, (OperatorAction::PauseEnded { reason }, &request.actor), now, rng).await
}

async fn record(
    store: &dyn Store,
    apps: &BTreeSet<AppId>,
    (action, actor): (OperatorAction, &Actor),
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> Result<(), Error> {
    let of_app = |app: &AppId| about_app(app, (action.clone(), actor.clone()), now, rng);
    let runs: Vec<NewRun> = apps.iter().map(of_app).collect();
    store.add_runs(&runs).await?;
    Ok(())
}

/// The statuses of apps of the fleet.
async fn statuses_of(store: &dyn Store, apps: &BTreeSet<AppId>) -> Result<Vec<AppStatus>, Error> {
    let mut all = store.status().await?;
    all.retain(|status| !status.removed && apps.contains(&status.app));
    let known: BTreeSet<&AppId> = all.iter().map(|status| &status.app).collect();
    match apps.iter().find(|app| !known.contains(app)) {
        None => Ok(all),
        Some(app) => Err(Error::new(ErrorKind::NotFound, format!("{app} is not in the fleet"))),
    }
}

fn check_end(status: &AppStatus, until: Timestamp, now: Timestamp) -> Result<(), Error> {
    let name = status.app.short_name();
    if status.policy.is_none() {
        let what = format!("{name} is in no policy, so there is no schedule to pause");
        return Err(Error::new(ErrorKind::Conflict, what));
    }
    let end = format_timestamp(until);
    let wrong = if until <= now {
        format!("{name} cannot be paused until {end}, which is past")
    } else if until > now + LONGEST {
        format!("{name} cannot be paused until {end}: a pause lasts a year at most")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Invalid, wrong)
        .help("for longer, write `paused = true` into its [[app]] entry"))
}

fn check_paused(status: &AppStatus) -> Result<(), Error> {
    if status.pause.is_some() {
        return Ok(());
    }
    let name = status.app.short_name();
    let error = Error::new(ErrorKind::Conflict, format!("{name} is not paused by a person"));
    Err(if status.paused {
        error.help("the fleet file pauses it: remove `paused = true` there")
    } else {
        error
    })
}
