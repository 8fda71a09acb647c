//! WebApps_Backup: accepts a backup. The SAS is not checked: an invalid one fails the backup at its end.

use holdfast_model::{AppId, BackupName};

use super::properties::Properties;
use super::{Call, OperationResult, bad_request, get_backup, site_not_found, tier};
use crate::azure::Azure;
use crate::azure::accept::{BackupRequest, default_name};
use crate::azure::backup::BackupView;
use crate::config::is_usable;
use crate::{AcceptedPost, Response};

pub(super) fn perform(azure: &mut Azure, app: &AppId, call: &Call<'_>) -> OperationResult {
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    tier::refuse(app, site.facts.site.tier.as_deref())?;
    let asked = read(call, app, azure)?;
    if azure.is_busy(app) {
        return Err(azure.conflict("Backup"));
    }
    accept(azure, app, asked)
}

fn read(call: &Call<'_>, app: &AppId, azure: &Azure) -> Result<BackupRequest, Response> {
    let properties = Properties::of(call.request)?;
    let storage_url = properties.storage_url()?;
    // The key was `name` in 2016 and is `backupName` since 2018; the other one is ignored.
    let name_key = if call.api_version < "2018" { "name" } else { "backupName" };
    let name = properties.text(name_key).unwrap_or_else(|| default_name(app, azure.now));
    if !is_usable(&BackupName::new(name.as_str())) {
        return Err(bad_request("The property 'backupName' cannot be a blob's name."));
    }
    let (databases, correlation_id) = (properties.databases(), call.request_id.to_owned());
    Ok(BackupRequest { name, storage_url, databases, correlation_id, scheduled: false })
}

fn accept(azure: &mut Azure, app: &AppId, asked: BackupRequest) -> OperationResult {
    let (now, name) = (azure.now, asked.name.clone());
    let id = azure.accept(app, asked).ok_or_else(|| site_not_found(app))?;
    azure.counters.accepted_posts += 1;
    let is_first = azure.sites.get_mut(app).is_some_and(|site| site.names.insert(name.clone()));
    azure.counters.duplicate_posts += u64::from(!is_first);
    azure.accepted.push(AcceptedPost { app: app.clone(), name, id, at: now });
    get_backup::answer(azure, app, id, BackupView::AtPost)
}
