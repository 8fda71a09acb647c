//! Replays recorded exchanges with Azure where they are at hand beside the workspace. They are not part of it.

use std::path::PathBuf;

use holdfast_arm::{Arm, Backup, BackupRequest, Settings, Verdict};
use holdfast_model::{AppId, BackupId, BackupName, BackupStatus};
use serde_json::{Value, json};

use crate::answers::app;
use crate::server::{Server, answer, arm, arm_with, tokens};

/// The file's elements; `None`, and one line that says so, where there is no such file.
fn recorded(file: &str) -> Option<Vec<Value>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("no recorded exchanges beside this workspace ({file}): nothing was replayed");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
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
    Server::new(move |_, _| {
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

#[tokio::test]
async fn recorded_exchanges_are_sent_and_read_as_they_were() {
    let Some(exchanges) = recorded("recordings.json") else { return };
    let mut replayed = 0;
    for exchange in exchanges {
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
            let backup = BackupRequest {
                name: BackupName::new(text("backupName")),
                storage_url: text("storageAccountUrl").into(),
                databases: Vec::new(),
            };
            check(&client.backup(&app.parse().unwrap(), &backup).await.unwrap(), &response["body"]);
            assert_eq!(server.seen()[0].json(), request["body"]);
            assert!(server.seen()[0].uri.eq_ignore_ascii_case(uri));
        } else if let Some(app) = path.strip_suffix("/backups") {
            let listed = client.list_backups(&app.parse().unwrap()).await.unwrap();
            let recorded = response["body"]["value"].as_array().unwrap();
            assert_eq!(listed.len(), recorded.len());
            listed.iter().zip(recorded).for_each(|(backup, recorded)| check(backup, recorded));
            assert!(server.seen()[0].uri.eq_ignore_ascii_case(uri));
        } else if method == "DELETE" {
            // The client has no delete; its recorded answer is a backup all the same.
            check(&client.get_backup(&app(), BackupId(1)).await.unwrap(), &response["body"]);
        } else if response["status"] == 200 {
            let site = client.site(&app()).await.unwrap();
            assert_eq!(site.id, response["body"]["id"].as_str().unwrap().parse::<AppId>().unwrap());
            assert_eq!(site.state.as_deref(), Some("Running"));
        } else {
            // 202 with an empty body: a restore's, which this client does not start.
            let error = client.backup(&app(), &crate::answers::request()).await.unwrap_err();
            assert_eq!(error.verdict(), &Verdict::Ambiguous);
        }
        replayed += 1;
    }
    assert!(replayed >= 13, "only {replayed} exchanges were replayed");
}

#[tokio::test]
async fn recorded_errors_are_read_as_what_they_are() {
    let Some(errors) = recorded("errors.json") else { return };
    for recorded in errors {
        if let Some(log) = recorded["log"].as_str() {
            let body = json!({"properties": {"id": 1, "status": "Failed", "log": log}});
            let server = Server::always(200, body.to_string()).await;
            let backup = arm(&server.url).get_backup(&app(), BackupId(1)).await.unwrap();
            assert_eq!(backup.log.as_deref(), Some(log));
        }
        let Some(status) = recorded["status"].as_u64() else { continue };
        let server = replaying(status, &recorded["headers"], &recorded["body"]).await;
        let error = arm(&server.url).site(&app()).await.unwrap_err();
        assert_eq!(error.status().map(u64::from), Some(status));
        let as_expected = match status {
            404 => matches!(error.verdict(), Verdict::NotFound),
            409 => matches!(error.verdict(), Verdict::Conflict { .. }),
            429 => matches!(error.verdict(), Verdict::Throttled { .. }),
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
