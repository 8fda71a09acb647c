//! WebApps_Backup: takes a backup on. The SAS is not looked at: whatever is wrong with it shows when the backup ends.

use holdfast_model::{AppId, BackupName};
use serde_json::Value;

use super::{Answer, Call, get_backup, site_not_found};
use crate::azure::backup::{Backup, Shown};
use crate::azure::{Azure, backup, envelope, stamp};
use crate::config::is_usable;
use crate::{AcceptedPost, Response};

pub(super) fn perform(azure: &mut Azure, app: &AppId, call: &Call<'_>) -> Answer {
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    refuse_tier(app, site.facts.site.tier.as_deref())?;
    let asked = Asked::read(call, app, azure)?;
    if site.is_busy() {
        return Err(azure.conflict("Backup"));
    }
    Ok(accept(azure, app, asked, call.request_id))
}

/// The App Service documentation names the tiers; how Azure refuses the others nobody has published, so status and
/// words are ours.
fn refuse_tier(app: &AppId, tier: Option<&str>) -> Result<(), Response> {
    let tier = tier.unwrap_or("Standard");
    let allowed = match tier.to_ascii_lowercase().as_str() {
        "free" | "shared" | "dynamic" => false,
        "basic" => app.slot().is_none(),
        _ => true,
    };
    let message = format!("Backups are not available to this app in the pricing tier '{tier}'.");
    allowed.then_some(()).ok_or_else(|| bad_request(&message))
}

/// What the body asks for.
struct Asked {
    name: String,
    storage_url: String,
    databases: Vec<(String, String)>,
}

impl Asked {
    fn read(call: &Call<'_>, app: &AppId, azure: &Azure) -> Result<Self, Response> {
        let body: Value = serde_json::from_slice(&call.request.body)
            .map_err(|_| envelope::arm(400, "InvalidRequestContent", "The request content is not JSON."))?;
        let properties = &body["properties"];
        let text =
            |of: &Value, key: &str| of[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let storage_url = text(properties, "storageAccountUrl")
            .ok_or_else(|| bad_request("The property 'storageAccountUrl' is required."))?;
        // The key was `name` in 2016 and is `backupName` since 2018; the other one goes unread.
        let name_key = if call.api_version < "2018" { "name" } else { "backupName" };
        let default_name = || format!("{}_{}", app.site(), azure.now.format("%Y%m%d%H%M"));
        let name = text(properties, name_key).unwrap_or_else(default_name);
        if !is_usable(&BackupName::new(name.as_str())) {
            return Err(bad_request("The property 'backupName' cannot be a blob's name."));
        }
        let database = |of: &Value| Some((text(of, "databaseType")?, text(of, "name").unwrap_or_default()));
        let databases =
            properties["databases"].as_array().into_iter().flatten().filter_map(database).collect();
        Ok(Self { name, storage_url, databases })
    }
}

fn bad_request(message: &str) -> Response {
    envelope::web(400, "BadRequest", "51021", message)
}

fn accept(azure: &mut Azure, app: &AppId, asked: Asked, request_id: &str) -> Response {
    let (now, id) = (azure.now, azure.stamp.next_id());
    let Some(site) = azure.sites.get_mut(app) else { return site_not_found(app) };
    let set = site.script.ends.pop_front();
    let drawn = azure.config.faults.draw_end(&mut site.rng);
    let too_large = site.facts.size_bytes > azure.config.app_bytes_max;
    let end = if too_large { crate::End::TooLarge } else { set.unwrap_or(drawn) };
    let pace = azure.config.pace;
    let (work, lag) = (backup::duration(&pace, end, &mut site.rng), site.rng.f64());
    let start_share = site.rng.f64() * 0.3;
    let backup = Backup {
        id,
        name: asked.name.clone(),
        storage_url: asked.storage_url.into(),
        databases: asked.databases,
        correlation_id: request_id.to_owned(),
        created: stamp::with_fraction(now, &mut site.rng),
        listed_from: now + pace.listing_lag_max.mul_f64(lag),
        starts_at: now + work.mul_f64(start_share),
        ends_at: now + work,
        end,
        outcome: None,
    };
    let answer = Response::json(200, &get_backup::body(&site.facts, &backup, Shown::AtPost));
    azure.counters.accepted_posts += 1;
    azure.counters.duplicate_posts += u64::from(!site.names.insert(asked.name.clone()));
    azure.accepted.push(AcceptedPost { app: app.clone(), name: asked.name, id, at: now });
    azure.now_under_way(app, backup);
    answer
}
