//! Replays exchanges with Azure that others recorded and published; each says where. Their signatures are blanked.

use holdfast_arm::{Arm, ArmClient, Backup, BackupBody, ErrorKind, Progress, RestoreBody, Settings};
use holdfast_model::{AppId, BackupId, BackupName, BackupStatus};
use serde_json::{Value, json};

use crate::answers::app;
use crate::every::operation_path;
use crate::server::{Server, answer, arm, arm_with, tokens};

const EXCHANGES: &str = include_str!("../recordings/recordings.json");
const ERRORS: &str = include_str!("../recordings/errors.json");

fn elements(text: &str) -> Vec<Value> {
    let elements: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(elements.len() > 10, "only {} were recorded", elements.len());
    elements
}

/// A server that answers as was recorded.
async fn replaying(status: u64, headers: &Value, body: &Value) -> Server {
    let text = if body.is_string() || body.is_null() { String::new() } else { body.to_string() };
    let headers: Vec<(String, String)> = headers
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !["content-length", "content-type", "x-ms-request-id"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    Server::new(move |seen, _| {
        let here = format!("http://{}", seen.header("host"));
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.replace("https://management.azure.com", &here)))
            .collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        answer(u16::try_from(status).unwrap(), &headers, text.clone())
    })
    .await
}

fn check(backup: &Backup, recorded: &Value) {
    let recorded = &recorded["properties"];
    assert_eq!(backup.id, BackupId(recorded["id"].as_i64().unwrap()));
    assert_eq!(backup.name.as_deref(), recorded["name"].as_str());
    assert_eq!(backup.blob_name.as_deref(), recorded["blobName"].as_str());
    assert_eq!(backup.status.as_str(), recorded["status"].as_str().unwrap());
    assert!(!matches!(backup.status, BackupStatus::Unknown(_)));
    assert_eq!(backup.size_bytes, recorded["sizeInBytes"].as_i64());
    assert_eq!(backup.website_size_bytes, recorded["websiteSizeInBytes"].as_i64());
    assert_eq!(backup.correlation_id.as_deref(), recorded["correlationId"].as_str());
    for (read, key) in [(backup.created, "created"), (backup.finished, "finishedTimeStamp")] {
        let second = read.map(|at| at.format("%Y-%m-%dT%H:%M:%S").to_string());
        assert_eq!(second.as_deref(), recorded[key].as_str().map(|text| &text[..19]), "{key}");
    }
}

/// Sends the recorded restore, and reads its 202. The recorded link leads to Azure and the server is here, so the link's
/// host is put right by `replaying`.
async fn restored(client: &ArmClient, app: &AppId, recorded: &Value, server: &Server) {
    let wanted = &recorded["body"]["properties"];
    let request = RestoreBody {
        storage_url: wanted["storageAccountUrl"].as_str().unwrap().into(),
        blob: wanted["blobName"].as_str().unwrap().to_owned(),
        target: app.clone(),
        overwrite: wanted["overwrite"].as_bool().unwrap(),
        plan: None,
        databases: Vec::new(),
        ignore_databases: wanted["ignoreDatabases"].as_bool().unwrap(),
        ignore_conflicting_host_names: wanted["ignoreConflictingHostNames"].as_bool().unwrap(),
    };
    let started = client.restore(app, BackupId(0), &request).await.unwrap();
    assert_eq!(server.seen()[0].json(), recorded["body"]);
    let operation = started.operation.unwrap();
    assert!(operation.starts_with("/subscriptions/") && !operation.contains('?'), "{operation}");
    assert_eq!((started.request_id.as_deref(), started.retry_after), (Some("req-1"), None));
}

#[tokio::test]
async fn recorded_exchanges_are_sent_and_read_as_they_were() {
    for exchange in elements(EXCHANGES) {
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let server =
            replaying(response["status"].as_u64().unwrap(), &response["headers"], &response["body"]).await;
        let uri = request["path"].as_str().unwrap();
        let (path, version) = uri.split_once("?api-version=").unwrap();
        let settings = Settings { api_version: version.into(), ..Settings::new(server.url.clone()) };
        let client = arm_with(settings, tokens());
        let method = request["method"].as_str().unwrap();
        if let Some(app) = path.strip_suffix("/backup") {
            let wanted = &request["body"]["properties"];
            let text = |key: &str| wanted[key].as_str().unwrap().to_owned();
            let backup = BackupBody {
                name: BackupName::new(text("backupName")),
                storage_url: text("storageAccountUrl").into(),
                databases: Vec::new(),
            };
            check(&client.backup(&app.parse().unwrap(), &backup).await.unwrap(), &response["body"]);
            assert_eq!(server.seen()[0].json(), request["body"]);
        } else if let Some(app) = path.strip_suffix("/backups") {
            let listed = client.list_backups(&app.parse().unwrap()).await.unwrap();
            let recorded = response["body"]["value"].as_array().unwrap();
            assert_eq!(listed.len(), recorded.len());
            listed.iter().zip(recorded).for_each(|(backup, recorded)| check(backup, recorded));
        } else if method == "DELETE" {
            let (app, id) = path.split_once("/backups/").unwrap();
            let id = BackupId(id.parse().unwrap());
            let backup = client.delete_backup(&app.parse().unwrap(), id).await.unwrap().unwrap();
            check(&backup, &response["body"]);
        } else if let Some(app) = path.strip_suffix("/backups/0/restore") {
            let app: AppId = app.parse().unwrap();
            restored(&client, &app, request, &server).await;
        } else {
            let (app, _) = path.split_once("/operationresults/").unwrap();
            let progress = client.operation(&app.parse().unwrap(), path).await.unwrap();
            let done = response["status"] == 200;
            assert_eq!(progress == Progress::Done, done, "{progress:?}");
            assert_eq!(progress == Progress::UnderWay { retry_after: None }, !done, "{progress:?}");
        }
        assert_eq!(server.seen()[0].method, method);
        assert!(server.seen()[0].uri.eq_ignore_ascii_case(uri));
    }
}

#[test]
fn no_recording_holds_a_signature_and_each_has_its_source() {
    for recorded in [elements(EXCHANGES), elements(ERRORS)].concat() {
        let (src, text) = (recorded["src"].as_str().unwrap(), recorded.to_string());
        assert!(text.split("sig=").skip(1).all(|after| after.starts_with("REDACTED")), "{src}");
        assert!(!text.contains("AccountKey=") && !text.contains("Bearer "), "{src}");
    }
}

#[tokio::test]
async fn recorded_errors_are_read_as_what_they_are() {
    for recorded in elements(ERRORS) {
        if let Some(log) = recorded["log"].as_str() {
            let body = json!({"properties": {"id": 1, "status": "Failed", "log": log}});
            let server = Server::always(200, body.to_string()).await;
            let backup = arm(&server.url).get_backup(&app(), BackupId(1)).await.unwrap();
            assert_eq!(backup.log.as_deref(), Some(log));
        }
        if recorded["body"]["status"] == "Failed" {
            let server = Server::always(200, recorded["body"].to_string()).await;
            let progress = arm(&server.url).operation(&app(), &operation_path(&app())).await.unwrap();
            let cause = recorded["body"]["error"]["details"][0]["message"].as_str().unwrap();
            assert!(
                matches!(&progress, Progress::Failed { detail } if detail.contains(cause)),
                "{progress:?}"
            );
        }
        let Some(status) = recorded["status"].as_u64() else { continue };
        // Of some errors only the message is on record.
        let body = match recorded["message"].as_str() {
            Some(message) if recorded["body"].is_null() => json!({"Code": "Recorded", "Message": message}),
            _ => recorded["body"].clone(),
        };
        let server = replaying(status, &recorded["headers"], &body).await;
        if recorded["when"].as_str().is_some_and(|when| when.starts_with("POST config/backup/list")) {
            assert!(arm(&server.url).schedule(&app()).await.unwrap().is_none());
        }
        let error = arm(&server.url).site(&app()).await.unwrap_err();
        assert_eq!(error.status().map(u64::from), Some(status));
        let as_expected = match status {
            404 => matches!(error.kind(), ErrorKind::NotFound),
            409 => matches!(error.kind(), ErrorKind::Conflict { .. }),
            429 => matches!(error.kind(), ErrorKind::Throttled { .. }),
            _ => false,
        };
        assert!(as_expected, "{error}");
        let body = &recorded["body"];
        if let Some(message) = body["Message"].as_str().or_else(|| body["error"]["message"].as_str()) {
            assert!(error.to_string().contains(&message.chars().take(150).collect::<String>()), "{error}");
            assert!(error.code().is_some());
        }
    }
}
