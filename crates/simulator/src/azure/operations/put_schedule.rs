//! WebApps_UpdateBackupConfiguration: sets the native schedule. The SAS is not checked.
//!
//! The response is empty in recordings (azure-powershell 2017, azure-cli 2019); the specification has the configuration,
//! which newer SDKs require. Here versions before 2020 answer as recorded and later ones as specified.

use holdfast_model::{AppId, FrequencyUnit, NativeSchedule, Timestamp};
use serde_json::Value;

use super::properties::{Properties, flag};
use super::{Call, OperationResult, bad_request, get_schedule, site_not_found, tier};
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
    if call.api_version < "2020" { Ok(Response::new(200)) } else { get_schedule::perform(azure, app) }
}

fn read(of: &Value, enabled: bool, now: Timestamp) -> Result<NativeSchedule, Response> {
    let odd =
        |key: &str| bad_request(&format!("The property 'backupSchedule.{key}' is not what it should be."));
    let count = |key: &str, least: u64| {
        // The Azure CLI sends numbers as texts.
        let count = of[key].as_u64().or_else(|| of[key].as_str()?.trim().parse().ok());
        let count = count.filter(|count| (least..=COUNT_MAX).contains(count));
        count.and_then(|count| u32::try_from(count).ok()).ok_or_else(|| odd(key))
    };
    let unit = of["frequencyUnit"].as_str().unwrap_or_default();
    let unit = FrequencyUnit::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(unit));
    let unit = unit.ok_or_else(|| odd("frequencyUnit"))?;
    let start = match of["startTime"].as_str() {
        // Azure ignores a start with a zone.
        Some(text) if holdfast_model::parse_timestamp(text).is_ok() => now,
        Some(text) => parse(text).ok_or_else(|| odd("startTime"))?,
        None => now,
    };
    Ok(NativeSchedule {
        enabled,
        every: count("frequencyInterval", 1)?,
        unit,
        retention_days: count("retentionPeriodInDays", 0)?,
        keep_at_least_one: flag(&of["keepAtLeastOneBackup"]).ok_or_else(|| odd("keepAtLeastOneBackup"))?,
        start: Some(start),
    })
}

/// A time without a zone, which is in UTC.
fn parse(text: &str) -> Option<Timestamp> {
    holdfast_model::parse_timestamp(&format!("{text}Z")).ok()
}
