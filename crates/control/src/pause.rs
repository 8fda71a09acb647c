//! Pauses: a person suspends the scheduled runs of an app for a time.

use std::time::Duration;

use holdfast_model::{Actor, AppId, OperatorAction, Timestamp, format_timestamp};
use holdfast_store::{AppStatus, Store};

use crate::operator_actions::{about_app, reason};
use crate::{Error, ErrorKind, app_names};

/// The longest pause. A longer one belongs into the fleet file, where others see it.
pub const LONGEST: Duration = Duration::from_hours(24 * 366);

/// A request to pause an app.
#[derive(Debug, Clone)]
pub struct PauseRequest {
    /// The app, by its ARM id or short name.
    pub app: String,
    /// When its schedule goes on.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// A request to end the pause of an app.
#[derive(Debug, Clone)]
pub struct ResumeRequest {
    /// The app, by its ARM id or short name.
    pub app: String,
    /// Why.
    pub reason: String,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// Suspends the scheduled backups, the retention and the drills of an app until a time, and returns the app.
///
/// Runs under way go on, and a person can still back it up. Ticks of the pause are not run later. A second pause takes the
/// place of the first.
pub async fn pause(
    store: &dyn Store,
    request: &PauseRequest,
    rng: &mut fastrand::Rng,
) -> Result<AppId, Error> {
    let (status, now) = (status_of(store, &request.app).await?, store.now().await?);
    let reason = reason(&request.reason, "a pause")?;
    check_end(&status, request.until, now)?;
    let action = OperatorAction::PausedUntil { until: request.until, reason };
    store.add_run(&about_app(&status.app, (action, request.actor.clone()), now, rng)).await?;
    Ok(status.app)
}

/// Ends the pause of an app by a person, and returns the app. No tick is due at once.
pub async fn resume(
    store: &dyn Store,
    request: &ResumeRequest,
    rng: &mut fastrand::Rng,
) -> Result<AppId, Error> {
    let (status, now) = (status_of(store, &request.app).await?, store.now().await?);
    let reason = reason(&request.reason, "the end of a pause")?;
    check_paused(&status)?;
    let action = OperatorAction::PauseEnded { reason };
    store.add_run(&about_app(&status.app, (action, request.actor.clone()), now, rng)).await?;
    Ok(status.app)
}

/// The status of an app of the fleet.
async fn status_of(store: &dyn Store, name: &str) -> Result<AppStatus, Error> {
    let mut all = store.status().await?;
    all.retain(|status| !status.removed);
    let ids: Vec<AppId> = all.iter().map(|status| status.app.clone()).collect();
    let app = app_names::app(&ids, name)?;
    let found = all.into_iter().find(|status| status.app == app);
    found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{app} is not in the fleet")))
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
