//! Writes the bodies of requests. They hold secrets. An unknown value is left out and never null.

use holdfast_model::AppId;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::{BackupBody, Database, RestoreBody, ScheduleBody};

/// The body of POST /backup. The api-version of 2016 calls the name `name`, all later ones `backupName`; the wrong
/// key would silently lose the name, and with it the only way to find a backup whose answer was lost.
pub(crate) fn backup_body(request: &BackupBody, api_version: &str) -> Vec<u8> {
    let name_key = if api_version < "2018" { "name" } else { "backupName" };
    let mut properties = Map::new();
    properties.insert(name_key.to_owned(), json!(request.name.as_str()));
    storage(&mut properties, &request.storage_url);
    databases(&mut properties, &request.databases);
    body(&properties)
}

/// The body of POST /backups/{id}/restore and of POST /restoreFromBackupBlob. Azure chooses `adjustConnectionStrings`.
pub(crate) fn restore_body(request: &RestoreBody) -> Vec<u8> {
    let mut properties = Map::new();
    storage(&mut properties, &request.storage_url);
    for (key, value) in [
        ("blobName", json!(request.blob)),
        ("overwrite", json!(request.overwrite)),
        ("siteName", json!(site_name(&request.target))),
        ("ignoreConflictingHostNames", json!(request.ignore_conflicting_host_names)),
        ("ignoreDatabases", json!(request.ignore_databases)),
        ("operationType", json!("Default")),
    ] {
        properties.insert(key.to_owned(), value);
    }
    if let Some(plan) = &request.plan {
        properties.insert("appServicePlan".to_owned(), json!(plan));
    }
    databases(&mut properties, &request.databases);
    body(&properties)
}

/// The body of POST /discoverbackup: it names the blob alone.
pub(crate) fn discover_body(request: &RestoreBody) -> Vec<u8> {
    let mut properties = Map::new();
    storage(&mut properties, &request.storage_url);
    properties.insert("blobName".to_owned(), json!(request.blob));
    properties.insert("overwrite".to_owned(), json!(false));
    body(&properties)
}

/// The body of POST /backups/{id}/list; `replace` is the SAS that Azure stores from now on.
pub(crate) fn secrets_body(replace: Option<&SecretString>) -> Vec<u8> {
    let mut properties = Map::new();
    if let Some(url) = replace {
        storage(&mut properties, url);
    }
    body(&properties)
}

/// The body of PUT /config/backup. It names no backup: Azure names the scheduled ones.
pub(crate) fn schedule_body(request: &ScheduleBody) -> Vec<u8> {
    let schedule = &request.schedule;
    let mut backup_schedule = json!({
        "frequencyInterval": schedule.every,
        "frequencyUnit": schedule.unit.as_str(),
        "keepAtLeastOneBackup": schedule.keep_at_least_one,
        "retentionPeriodInDays": schedule.retention_days,
    });
    if let Some(start) = schedule.start {
        // Without a zone, as Azure returns it: Azure ignores a start with one and starts at once.
        backup_schedule["startTime"] = json!(start.format("%Y-%m-%dT%H:%M:%S").to_string());
    }
    let mut properties = Map::new();
    storage(&mut properties, &request.storage_url);
    properties.insert("enabled".to_owned(), json!(schedule.enabled));
    properties.insert("backupSchedule".to_owned(), backup_schedule);
    databases(&mut properties, &request.databases);
    body(&properties)
}

/// The site that receives a restore: a slot is in parentheses behind it, as Azure PowerShell writes it.
fn site_name(app: &AppId) -> String {
    app.slot().map_or_else(|| app.site().to_owned(), |slot| format!("{}({slot})", app.site()))
}

fn storage(properties: &mut Map<String, Value>, url: &SecretString) {
    properties.insert("storageAccountUrl".to_owned(), json!(url.expose_secret()));
}

fn databases(properties: &mut Map<String, Value>, databases: &[Database]) {
    if !databases.is_empty() {
        properties.insert("databases".to_owned(), databases.iter().map(database).collect());
    }
}

fn database(database: &Database) -> Value {
    let mut body = json!({ "databaseType": database.kind.as_str(), "name": database.name });
    if let Some(name) = &database.connection_string_name {
        body["connectionStringName"] = json!(name);
    }
    if let Some(secret) = &database.connection_string {
        body["connectionString"] = json!(secret.expose_secret());
    }
    body
}

fn body(properties: &Map<String, Value>) -> Vec<u8> {
    json!({ "properties": properties }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use holdfast_model::{BackupName, DatabaseKind, NativeSchedule, parse_timestamp};

    use super::*;

    fn database() -> Database {
        Database {
            kind: DatabaseKind::SqlAzure,
            name: "shop".into(),
            connection_string_name: None,
            connection_string: Some("Server=x".into()),
        }
    }

    fn properties(body: &[u8]) -> Value {
        serde_json::from_slice::<Value>(body).unwrap()["properties"].take()
    }

    #[test]
    fn the_name_goes_under_the_key_that_the_api_version_reads() {
        let request = BackupBody {
            name: BackupName::new("hf-shop-1"),
            storage_url: "https://acct.blob/c?sig=s".into(),
            databases: vec![database()],
        };
        for (version, key) in
            [("2016-08-01", "name"), ("2018-02-01", "backupName"), ("2024-11-01", "backupName")]
        {
            let body = properties(&backup_body(&request, version));
            assert_eq!(body[key], "hf-shop-1", "{version}");
            assert_eq!(body.as_object().unwrap().len(), 3);
        }
    }

    #[test]
    fn unknown_facts_of_a_database_are_omitted() {
        let mut properties = Map::new();
        databases(&mut properties, &[]);
        assert_eq!(properties.len(), 0);
        databases(&mut properties, &[database()]);
        let one = json!({"databaseType": "SqlAzure", "name": "shop", "connectionString": "Server=x"});
        assert_eq!(properties["databases"], json!([one]));
        let inside =
            Database { connection_string_name: Some("Shop".into()), connection_string: None, ..database() };
        databases(&mut properties, &[inside]);
        let one = json!({"databaseType": "SqlAzure", "name": "shop", "connectionStringName": "Shop"});
        assert_eq!(properties["databases"], json!([one]));
    }

    #[test]
    fn a_restore_names_its_target_with_the_slot_in_parentheses_and_the_plan_only_when_there_is_one() {
        let request = RestoreBody {
            storage_url: "https://acct.blob/c?sig=s".into(),
            blob: "shop.zip".into(),
            target: AppId::new("s", "g", "shop", Some("staging")),
            overwrite: true,
            plan: Some("/plan".into()),
            databases: vec![database()],
            ignore_databases: false,
            ignore_conflicting_host_names: true,
        };
        let body = properties(&restore_body(&request));
        assert_eq!((&body["siteName"], &body["appServicePlan"]), (&json!("shop(staging)"), &json!("/plan")));
        assert_eq!(body["databases"][0]["name"], "shop");
        let target = AppId::new("s", "g", "shop", None);
        let plain = RestoreBody { target, plan: None, databases: Vec::new(), ..request };
        assert_eq!(
            properties(&restore_body(&plain)),
            json!({"storageAccountUrl": "https://acct.blob/c?sig=s", "blobName": "shop.zip", "overwrite": true,
                "siteName": "shop", "ignoreConflictingHostNames": true, "ignoreDatabases": false,
                "operationType": "Default"})
        );
        assert_eq!(
            properties(&discover_body(&plain)),
            json!({"storageAccountUrl": "https://acct.blob/c?sig=s", "blobName": "shop.zip", "overwrite": false})
        );
    }

    #[test]
    fn secrets_are_requested_with_an_empty_body_or_with_the_new_sas() {
        assert_eq!(properties(&secrets_body(None)), json!({}));
        let url = SecretString::from("https://acct.blob/c?sig=s");
        assert_eq!(
            properties(&secrets_body(Some(&url))),
            json!({"storageAccountUrl": "https://acct.blob/c?sig=s"})
        );
    }

    #[test]
    fn a_schedule_is_typed_as_the_service_wants_it() {
        let schedule = NativeSchedule::days(7);
        let request =
            ScheduleBody { schedule, storage_url: "https://acct.blob/c".into(), databases: Vec::new() };
        let mut wanted = json!({"storageAccountUrl": "https://acct.blob/c", "enabled": true, "backupSchedule": {
            "frequencyInterval": 7, "frequencyUnit": "Day", "keepAtLeastOneBackup": true, "retentionPeriodInDays": 30}});
        assert_eq!(properties(&schedule_body(&request)), wanted);
        let start = parse_timestamp("2026-11-23T02:00:00Z").ok();
        let from = NativeSchedule { start, ..request.schedule.clone() };
        wanted["backupSchedule"]["startTime"] = json!("2026-11-23T02:00:00");
        assert_eq!(properties(&schedule_body(&ScheduleBody { schedule: from, ..request })), wanted);
    }
}
