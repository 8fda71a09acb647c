//! WebApps_UpdateBackupConfiguration: sets the native schedule. The response is empty, and the SAS is not checked
//! (azure-powershell recording of 2017, azure-cli recording of 2019).

use holdfast_model::{AppId, FrequencyUnit, NativeSchedule, Timestamp};
use serde_json::Value;

use super::properties::Properties;
use super::{Call, OperationResult, bad_request, site_not_found, tier};
use crate::Response;
use crate::azure::Azure;
use crate::azure::schedule::Schedule;

/// The largest accepted number in a schedule.
const COUNT_MAX: u64 = 10_000;

pub(super) fn perform(azure: &mut Azure, app: &AppId, call: &Call<'_>) -> OperationResult {
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    tier::refuse(app, site.facts.site.tier.as_deref())?;
    let properties = Properties::of(call.request)?;
    let storage_url = properties.storage_url()?;
    let enabled = properties.flag("enabled").unwrap_or(false);
    let facts = read(properties.value("backupSchedule"), enabled, azure.now)?;
    let name = properties.text("backupName").unwrap_or_else(|| app.site().to_owned());
    let schedule = Schedule::new(facts, storage_url, properties.databases(), name);
    azure.set_schedule(app, schedule);
    Ok(Response::new(200))
}

fn read(of: &Value, enabled: bool, now: Timestamp) -> Result<NativeSchedule, Response> {
    let odd =
        |key: &str| bad_request(&format!("The property 'backupSchedule.{key}' is not what it should be."));
    let count = |key: &str, least: u64| {
        let count = of[key].as_u64().filter(|count| (least..=COUNT_MAX).contains(count));
        count.and_then(|count| u32::try_from(count).ok()).ok_or_else(|| odd(key))
    };
    let unit = match of["frequencyUnit"].as_str() {
        Some("Day") => FrequencyUnit::Day,
        Some("Hour") => FrequencyUnit::Hour,
        _ => return Err(odd("frequencyUnit")),
    };
    let start = match of["startTime"].as_str() {
        Some(text) => parse(text).ok_or_else(|| odd("startTime"))?,
        None => now,
    };
    Ok(NativeSchedule {
        enabled,
        every: count("frequencyInterval", 1)?,
        unit,
        retention_days: count("retentionPeriodInDays", 0)?,
        keep_at_least_one: of["keepAtLeastOneBackup"].as_bool().ok_or_else(|| odd("keepAtLeastOneBackup"))?,
        start: Some(start),
    })
}

/// A time with its zone, or without one in UTC.
fn parse(text: &str) -> Option<Timestamp> {
    holdfast_model::parse_timestamp(text)
        .or_else(|_| holdfast_model::parse_timestamp(&format!("{text}Z")))
        .ok()
}
