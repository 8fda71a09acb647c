//! Every call, by its operation, and the answers that Azure gives to them.

use axum::body::Body;
use axum::http::Response;
use holdfast_arm::{Arm, Error, Operation, RestoreBody, ScheduleBody};
use holdfast_model::{AppId, BackupId, NativeSchedule};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::answers::{CONNECTION, SAS, SUBSCRIPTION, created, list, listed, request, site};
use crate::server::{Seen, answer};

pub const ALL: [Operation; 17] = [
    Operation::ListSites,
    Operation::ListSlots,
    Operation::GetSite,
    Operation::Backup,
    Operation::GetBackup,
    Operation::ListBackups,
    Operation::ListSiteBackups,
    Operation::DeleteBackup,
    Operation::BackupSecrets,
    Operation::Restore,
    Operation::RestoreFromBlob,
    Operation::Discover,
    Operation::GetOperation,
    Operation::GetPermissions,
    Operation::GetSchedule,
    Operation::PutSchedule,
    Operation::DeleteSchedule,
];

/// The id of an operation in answers.
const OPERATION: &str = "5ca1ab1e-0000-4000-8000-0000000000aa";

pub fn operation_path(app: &AppId) -> String {
    format!("{app}/operationresults/{OPERATION}")
}

pub fn restore_request(target: &AppId) -> RestoreBody {
    RestoreBody {
        storage_url: SAS.into(),
        blob: "hf-bread-1.zip".into(),
        target: target.clone(),
        overwrite: true,
        plan: None,
        databases: request().databases,
        ignore_databases: false,
        ignore_conflicting_host_names: true,
    }
}

pub fn native_schedule() -> NativeSchedule {
    NativeSchedule::days(1)
}

pub fn schedule_request() -> ScheduleBody {
    ScheduleBody { schedule: native_schedule(), storage_url: SAS.into(), databases: request().databases }
}

/// Makes the call, and gives the debug text of what comes of it.
pub async fn call(arm: &dyn Arm, operation: Operation, app: &AppId) -> Result<String, Error> {
    fn text(of: impl std::fmt::Debug) -> String {
        format!("{of:?}")
    }
    let (id, replace) = (BackupId(12), SecretString::from(SAS));
    match operation {
        Operation::ListSubscriptions => arm.subscriptions().await.map(text),
        Operation::ListSites => arm.sites(app.subscription()).await.map(text),
        Operation::ListSlots => arm.slots(app).await.map(text),
        Operation::GetSite => arm.site(app).await.map(text),
        Operation::Backup => arm.backup(app, &request()).await.map(text),
        Operation::GetBackup => arm.get_backup(app, id).await.map(text),
        Operation::ListBackups => arm.list_backups(app).await.map(text),
        Operation::ListSiteBackups => arm.list_site_backups(app).await.map(text),
        Operation::DeleteBackup => arm.delete_backup(app, id).await.map(text),
        Operation::BackupSecrets => arm.backup_secrets(app, id, Some(&replace)).await.map(text),
        Operation::Restore => arm.restore(app, id, &restore_request(app)).await.map(text),
        Operation::RestoreFromBlob => arm.restore_from_blob(app, &restore_request(app)).await.map(text),
        Operation::Discover => arm.discover(app, &restore_request(app)).await.map(text),
        Operation::GetOperation => arm.operation(app, &operation_path(app)).await.map(text),
        Operation::GetPermissions => arm.permissions(app).await.map(text),
        Operation::GetSchedule => arm.schedule(app).await.map(text),
        Operation::PutSchedule => arm.put_schedule(app, &schedule_request()).await.map(text),
        Operation::DeleteSchedule => arm.delete_schedule(app).await.map(text),
    }
}

/// What Azure answers to the call when all is well, in the shapes that were recorded or, for discovery, documented.
pub fn good(operation: Operation, app: &AppId, seen: &Seen) -> Response<Body> {
    let body = match operation {
        Operation::ListSubscriptions => list(&[]),
        Operation::ListSites | Operation::ListSlots => list(&[site("bread")]),
        Operation::GetSite | Operation::GetOperation => site("bread"),
        Operation::Backup | Operation::BackupSecrets => created(app),
        Operation::GetBackup => listed(app, 12, "Succeeded"),
        Operation::ListBackups | Operation::ListSiteBackups => list(&[listed(app, 12, "Succeeded")]),
        Operation::DeleteBackup => deleted(app),
        Operation::Restore | Operation::RestoreFromBlob => return begun(app, seen),
        Operation::Discover => discovered(),
        Operation::GetPermissions => permissions(),
        Operation::GetSchedule => configuration(app),
        Operation::PutSchedule | Operation::DeleteSchedule => return answer(200, &[], ""),
    };
    answer(200, &[], body.to_string())
}

/// The answer to GET …/Microsoft.Authorization/permissions, as documented.
pub fn permissions() -> Value {
    json!({ "value": [{ "actions": ["*"], "notActions": ["*/write"], "dataActions": [], "notDataActions": [] }] })
}

/// The answer to DELETE /backups/{id}: the site's id around the backup, and the SAS in full.
pub fn deleted(app: &AppId) -> Value {
    json!({
        "id": app.to_string(), "name": app.short_name(), "type": "Microsoft.Web/sites", "location": "France Central",
        "properties": {
            "id": 12, "storageAccountUrl": SAS, "blobName": "hf-12.zip", "name": "hf-12", "backupName": "hf-12",
            "status": "DeleteInProgress", "sizeInBytes": 7_311, "created": "2026-05-04T08:15:16.1234567", "log": "",
            "databases": null, "scheduled": false, "finishedTimeStamp": "2026-05-04T08:15:31.7654321",
            "correlationId": "11aa22bb-0000-4000-8000-000000000003", "websiteSizeInBytes": 4_002,
        },
    })
}

/// The answer to a restore, and to a look at it while it lasts: 202, nothing in it, a link in `Location` alone.
pub fn begun(app: &AppId, seen: &Seen) -> Response<Body> {
    let link = format!("http://{}{}?api-version=2024-11-01", seen.header("host"), operation_path(app));
    answer(202, &[("location", &link), ("etag", "\"1DA0000000000A0\"")], "")
}

/// The answer to POST /config/backup/list, with keys that are documented nowhere.
pub fn configuration(app: &AppId) -> Value {
    let schedule = json!({
        "frequencyInterval": 1, "frequencyUnit": "Day", "keepAtLeastOneBackup": true, "retentionPeriodInDays": 30,
        "startTime": "2026-05-04T08:15:16.1234567", "lastExecutionTime": "2026-05-04T08:15:17.2345678",
    });
    json!({
        "id": format!("{app}/config/backup"), "name": "backup", "type": "Microsoft.Web/sites/config",
        "location": "France Central",
        "properties": {
            "name": app.site(), "backupName": app.site(), "enabled": true, "storageAccountUrl": SAS,
            "backupSchedule": schedule, "type": "Default",
            "databases": [{"databaseType": "SqlAzure", "name": "orders", "connectionString": CONNECTION}],
        },
    })
}

/// The 404 of POST /config/backup/list where there is no configuration.
pub fn no_configuration(app: &AppId) -> String {
    let slot = app.slot().unwrap_or("Production");
    let message = format!("Backup configuration not found for site '{}' with slot '{slot}'", app.site());
    let entity = json!({"Code": "NotFound", "Message": message, "ExtendedCode": "04211", "InnerErrors": null,
        "MessageTemplate": "Backup configuration not found for site '{0}' with slot '{1}'",
        "Parameters": [app.site(), slot]});
    let details = json!([{"Message": message}, {"Code": "NotFound"}, {"ErrorEntity": entity}]);
    json!({"Code": "NotFound", "Message": message, "Target": null, "Details": details, "Innererror": null})
        .to_string()
}

/// The answer to POST /discoverbackup: the request, filled in. Old versions returned passwords here.
pub fn discovered() -> Value {
    let databases = json!([
        {"databaseType": "SqlAzure", "name": "orders", "connectionStringName": "Orders", "connectionString": CONNECTION},
        {"databaseType": "MySql", "name": "blog"},
    ]);
    json!({
        "id": format!("/subscriptions/{SUBSCRIPTION}"), "name": "bread",
        "properties": {"storageAccountUrl": SAS, "blobName": "hf-bread-1.zip", "overwrite": false,
            "siteName": "bread", "databases": databases, "ignoreConflictingHostNames": false},
    })
}
