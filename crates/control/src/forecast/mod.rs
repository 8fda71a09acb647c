//! What the coming hours will bring: when backups begin and end under the fleet's limits, which objectives are missed, and
//! which backups Azure will skip.

mod chart;
mod fleet_forecast;
mod outlook;
mod timetable;

use std::collections::BTreeMap;

use holdfast_config::Fleet;
use holdfast_model::AppId;
use holdfast_store::{AppStatus, PastDurations, Store};

pub use self::chart::chart;
pub use self::fleet_forecast::{
    BeyondDailyLimit, FleetForecast, ForecastBackup, ForecastRequest, MissedObjective, PolicyWindow,
};
pub use self::timetable::WaitsFor;
use crate::Error;

/// Forecasts the coming hours from the fleet file and the store. Makes no request to Azure.
pub async fn forecast(
    fleet: &Fleet,
    store: &dyn Store,
    request: ForecastRequest,
) -> Result<FleetForecast, Error> {
    let (apps, past) = (store.status().await?, store.past_durations().await?);
    Ok(forecast_of(fleet, apps, &past, request))
}

/// The forecast of these apps.
fn forecast_of(
    fleet: &Fleet,
    apps: Vec<AppStatus>,
    past: &BTreeMap<AppId, PastDurations>,
    request: ForecastRequest,
) -> FleetForecast {
    let apps = outlook::scheduled(fleet, apps, request.apps);
    let expected = outlook::expected_durations(&apps, past);
    let (backups, overlapping) = outlook::due(&apps, &expected, request);
    let slots = timetable::slots(&backups, &fleet.limits);
    outlook::Outlook { request, apps, expected, backups, overlapping, slots }.forecast()
}

#[cfg(test)]
mod tests;
