//! Every operation's request, for an app and for a slot, and what is read of its good answer.

use holdfast_arm::{Arm, Operation, Progress, Settings};
use holdfast_model::{AppId, BackupId, BackupStatus};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::answers::{CONNECTION, SAS, app, created, listed, request, slot};
use crate::every::{
    ALL, begun, call, deleted, discovered, good, native_schedule, no_configuration, operation_path,
    restore_request, schedule_request,
};
use crate::server::{Server, answer, arm, arm_with, tokens};

/// The method and the path below the app of each operation on an app.
fn request_of(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::ListSubscriptions | Operation::ListSites => unreachable!("it is not about an app"),
        Operation::ListSlots => ("GET", "/slots"),
        Operation::GetSite => ("GET", ""),
        Operation::Backup => ("POST", "/backup"),
        Operation::GetBackup => ("GET", "/backups/12"),
        Operation::ListBackups => ("GET", "/backups"),
        Operation::ListSiteBackups => ("POST", "/listbackups"),
        Operation::DeleteBackup => ("DELETE", "/backups/12"),
        Operation::BackupSecrets => ("POST", "/backups/12/list"),
        Operation::Restore => ("POST", "/backups/12/restore"),
        Operation::RestoreFromBlob => ("POST", "/restoreFromBackupBlob"),
        Operation::Discover => ("POST", "/discoverbackup"),
        Operation::GetOperation => ("GET", "/operationresults/5ca1ab1e-0000-4000-8000-0000000000aa"),
        Operation::GetPermissions => ("GET", "/providers/Microsoft.Authorization/permissions"),
        Operation::GetSchedule => ("POST", "/config/backup/list"),
        Operation::PutSchedule => ("PUT", "/config/backup"),
        Operation::DeleteSchedule => ("DELETE", "/config/backup"),
    }
}

#[tokio::test]
async fn every_operation_is_one_request_to_its_own_url_for_an_app_and_for_a_slot() {
    for app in [app(), slot()] {
        for operation in ALL.into_iter().filter(|operation| *operation != Operation::ListSites) {
            let of = app.clone();
            let server = Server::new(move |seen, _| good(operation, &of, seen)).await;
            call(&arm(&server.url), operation, &app).await.unwrap();
            let [seen] = server.seen().try_into().unwrap();
            let (method, path) = request_of(operation);
            assert_eq!(seen.method, method, "{operation}");
            // Permissions belong to another provider, which has its own versions.
            let is_ours = operation != Operation::GetPermissions;
            let version = if is_ours { "?api-version=2024-11-01" } else { "?api-version=2022-04-01" };
            let path = seen.uri.strip_suffix(version).unwrap().strip_suffix(path).unwrap();
            // The parts of an id are in lower case; its words are as Azure writes them.
            assert_eq!(path.parse::<AppId>().unwrap(), app, "{operation}");
            assert_eq!(seen.header("authorization"), "Bearer S3CR3T-TOKEN-1");
            // A POST without a body has a length of 0: a server in front of Azure refuses a POST without a length.
            if seen.body.is_empty() && method == "POST" {
                assert_eq!(seen.header("content-length"), "0", "{operation}");
            }
        }
    }
}

/// The body that an operation sends to a server that answers well.
async fn sent(operation: Operation) -> Value {
    let server = Server::new(move |seen, _| good(operation, &app(), seen)).await;
    call(&arm(&server.url), operation, &app()).await.unwrap();
    server.seen()[0].json()
}

#[tokio::test]
async fn each_request_has_the_body_of_its_operation() {
    let databases = json!([{"databaseType": "SqlAzure", "name": "orders", "connectionStringName": "Orders",
        "connectionString": CONNECTION}]);
    let restore = json!({"properties": {"storageAccountUrl": SAS, "blobName": "hf-bread-1.zip", "overwrite": true,
        "siteName": "bread", "ignoreConflictingHostNames": true, "ignoreDatabases": false,
        "operationType": "Default", "databases": databases}});
    assert_eq!(sent(Operation::Restore).await, restore);
    assert_eq!(sent(Operation::RestoreFromBlob).await, restore);
    assert_eq!(
        sent(Operation::Discover).await,
        json!({"properties": {"storageAccountUrl": SAS, "blobName": "hf-bread-1.zip", "overwrite": false}})
    );
    assert_eq!(sent(Operation::BackupSecrets).await, json!({"properties": {"storageAccountUrl": SAS}}));
    let schedule = json!({"frequencyInterval": 1, "frequencyUnit": "Day", "keepAtLeastOneBackup": true,
        "retentionPeriodInDays": 30});
    assert_eq!(
        sent(Operation::PutSchedule).await,
        json!({"properties": {"storageAccountUrl": SAS, "enabled": true, "backupSchedule": schedule,
            "databases": databases}})
    );
}

#[tokio::test]
async fn secrets_are_read_without_replacing_any() {
    let server = Server::always(200, created(&app()).to_string()).await;
    let secrets = arm(&server.url).backup_secrets(&app(), BackupId(480_021), None).await.unwrap();
    assert_eq!(server.seen()[0].json(), json!({"properties": {}}));
    assert_eq!(secrets.storage_url.as_ref().map(SecretString::expose_secret), Some(SAS));
    assert_eq!(secrets.backup.id, BackupId(480_021));

    let server = Server::always(200, listed(&app(), 7, "Succeeded").to_string()).await;
    let secrets = arm(&server.url).backup_secrets(&app(), BackupId(7), None).await.unwrap();
    assert!(secrets.storage_url.is_none(), "an empty url is none");
}

#[tokio::test]
async fn a_deletion_answers_with_the_backup_or_with_nothing() {
    let server = Server::always(200, deleted(&app()).to_string()).await;
    let backup = arm(&server.url).delete_backup(&app(), BackupId(12)).await.unwrap().unwrap();
    assert_eq!((backup.id, backup.status), (BackupId(12), BackupStatus::DeleteInProgress));
    for status in [200, 204] {
        let server = Server::always(status, "").await;
        assert_eq!(arm(&server.url).delete_backup(&app(), BackupId(12)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_second_list_is_posted_and_its_further_pages_are_got() {
    let server = Server::new(|_, before| {
        let next = (before == 0).then_some("/next?page=2");
        let id = i64::try_from(before).unwrap();
        answer(200, &[], json!({"value": [listed(&app(), id, "Created")], "nextLink": next}).to_string())
    })
    .await;
    let backups = arm(&server.url).list_site_backups(&app()).await.unwrap();
    assert_eq!(backups.iter().map(|backup| backup.id.0).collect::<Vec<_>>(), [0, 1]);
    let seen: Vec<_> = server.seen().into_iter().map(|seen| (seen.method, seen.body)).collect();
    assert_eq!(seen, [("POST".to_owned(), String::new()), ("GET".to_owned(), String::new())]);
}

#[tokio::test]
async fn a_restore_is_followed_from_its_202_to_the_site_that_it_made() {
    let server = Server::new(|seen, before| match before {
        0..=2 => begun(&app(), seen),
        _ => good(Operation::GetOperation, &app(), seen),
    })
    .await;
    let client = arm(&server.url);
    let started = client.restore(&app(), BackupId(0), &restore_request(&app())).await.unwrap();
    assert_eq!((started.request_id.as_deref(), started.retry_after), (Some("req-1"), None));
    let operation = started.operation.unwrap();
    assert!(operation.eq_ignore_ascii_case(&operation_path(&app())), "{operation}");
    for progress in [Progress::UnderWay { retry_after: None }, Progress::UnderWay { retry_after: None }] {
        assert_eq!(client.operation(&app(), &operation).await.unwrap(), progress);
    }
    assert_eq!(client.operation(&app(), &operation).await.unwrap(), Progress::Done);
}

#[tokio::test]
async fn a_restore_into_a_slot_names_the_slot_in_parentheses() {
    let server = Server::new(|seen, _| begun(&slot(), seen)).await;
    arm(&server.url).restore_from_blob(&app(), &restore_request(&slot())).await.unwrap();
    assert_eq!(server.seen()[0].json()["properties"]["siteName"], "bread(dough)");
}

#[tokio::test]
async fn a_discovery_returns_databases_and_site_and_no_connection_string() {
    let server = Server::always(200, discovered().to_string()).await;
    let found = arm(&server.url).discover(&app(), &restore_request(&app())).await.unwrap();
    let databases: Vec<_> = found.databases.iter().map(|of| (of.kind.as_str(), of.name.as_str())).collect();
    assert_eq!(databases, [("SqlAzure", "orders"), ("MySql", "blog")]);
    assert_eq!(found.site.as_deref(), Some("bread"));
}

#[tokio::test]
async fn the_api_version_of_2016_discovers_by_put() {
    let server = Server::always(200, discovered().to_string()).await;
    let settings = Settings { api_version: "2016-08-01".into(), ..Settings::new(server.url.clone()) };
    arm_with(settings, tokens()).discover(&slot(), &restore_request(&slot())).await.unwrap();
    let [put] = server.seen().try_into().unwrap();
    assert_eq!(put.method, "PUT");
    assert!(put.uri.ends_with("/slots/dough/backups/discover?api-version=2016-08-01"), "{}", put.uri);
}

#[tokio::test]
async fn azures_own_schedule_is_read_set_and_taken_away() {
    for app in [app(), slot()] {
        let of = app.clone();
        let server = Server::new(move |seen, _| good(Operation::GetSchedule, &of, seen)).await;
        let found = arm(&server.url).schedule(&app).await.unwrap().unwrap();
        assert_eq!(native_schedule().drift(&found.schedule), Vec::<String>::new());
        assert!(found.schedule.start.is_some());
        assert!(found.storage_url.is_some_and(|url| url.expose_secret().contains("sig=")));

        let server = Server::always(404, no_configuration(&app)).await;
        assert!(arm(&server.url).schedule(&app).await.unwrap().is_none());
        arm(&server.url).delete_schedule(&app).await.unwrap();
        arm(&server.url).put_schedule(&app, &schedule_request()).await.unwrap_err();
    }
}

#[tokio::test]
async fn unknown_connection_strings_are_omitted() {
    let mut backup = request();
    backup.databases[0].connection_string = None;
    backup.databases[0].connection_string_name = None;
    let server = Server::always(200, created(&app()).to_string()).await;
    arm(&server.url).backup(&app(), &backup).await.unwrap();
    assert_eq!(
        server.seen()[0].json()["properties"]["databases"],
        json!([{"databaseType": "SqlAzure", "name": "orders"}])
    );
}
