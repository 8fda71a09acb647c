use std::time::Duration;

use holdfast_model::{AppId, BackupId, parse_timestamp};
use proptest::prelude::*;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::{Operation, PUBLIC_ENDPOINT, Progress};

fn app() -> AppId {
    AppId::new("s", "g", "shop", None)
}

fn now() -> Timestamp {
    parse_timestamp("2026-11-15T19:11:00Z").unwrap()
}

fn response(status: u16, headers: &[(&'static str, &str)], body: &str) -> TransportResponse {
    let pair =
        |(k, v): &(&'static str, &str)| Some((HeaderName::from_static(k), HeaderValue::from_str(v).ok()?));
    let azures = [("x-ms-request-id", "r")];
    let headers = azures.iter().chain(headers).filter_map(pair).collect();
    TransportResponse { status, headers, body: body.into() }
}

fn answer(subject: CallSubject<'_>, response: TransportResponse) -> ArmResponse<'_> {
    ArmResponse { subject, asked: PUBLIC_ENDPOINT.parse().unwrap(), received: now(), response }
}

fn operation(status: u16, headers: &[(&'static str, &str)], body: &str) -> Result<Option<String>, ErrorKind> {
    let app = app();
    let subject = CallSubject::app(Operation::Restore, &app);
    let started = answer(subject, response(status, headers, body)).started();
    started.map(|started| started.operation).map_err(|error| error.kind().clone())
}

fn progress(status: u16, body: &str) -> Result<Progress, ErrorKind> {
    let app = app();
    let subject = CallSubject::app(Operation::GetOperation, &app);
    let progress = answer(subject, response(status, &[], body)).progress();
    progress.map_err(|error| error.kind().clone())
}

#[test]
fn an_async_operation_comes_before_a_location_and_a_location_counts_only_at_202() {
    let (first, second) = ("/subscriptions/s/async/1?t=S3CR3T", "/Subscriptions/S/results/2");
    let both = [("azure-asyncoperation", first), ("location", second)];
    let kept = |path: &str| Ok(Some(path.to_owned()));
    assert_eq!(operation(202, &both, ""), kept("/subscriptions/s/async/1"));
    assert_eq!(operation(201, &both, ""), kept("/subscriptions/s/async/1"));
    assert_eq!(operation(202, &both[1..], "<html>"), kept("/Subscriptions/S/results/2"));
    assert_eq!(operation(200, &both[1..], ""), Ok(None));
    assert_eq!(operation(204, &[], ""), Ok(None));
    assert_eq!(operation(200, &[], r#"{"id": "/subscriptions/s/x"}"#), Ok(None));
    assert_eq!(operation(202, &[], ""), Err(ErrorKind::Ambiguous));
}

#[test]
fn an_operations_id_in_the_body_becomes_its_path() {
    let body = r#"{"properties": {"operationId": "66fa-1"}}"#;
    for status in [200, 202] {
        let path = format!("{}/operationresults/66fa-1", app());
        assert_eq!(operation(status, &[], body), Ok(Some(path)));
    }
    let hostile = r#"{"properties": {"operationId": "../../../../../../../../tenants/1"}}"#;
    assert_eq!(operation(200, &[], hostile), Err(ErrorKind::Ambiguous));
    for odd in ["<html>", "[]", "{}", "\"ok\"", r#"{"status": "Failed"}"#, r#"{"error": {}}"#] {
        assert_eq!(operation(200, &[], odd), Err(ErrorKind::Ambiguous), "{odd}");
    }
}

#[test]
fn an_operation_ends_by_its_status_text_or_else_by_the_http_status() {
    let under_way = Ok(Progress::UnderWay { retry_after: None });
    for (status, body, read) in [
        (202, "", under_way.clone()),
        (202, "not json", under_way.clone()),
        (200, r#"{"status": "InProgress"}"#, under_way.clone()),
        (200, r#"{"id": "/x", "status": "Created"}"#, under_way),
        (200, r#"{"status": "succeeded"}"#, Ok(Progress::Done)),
        (202, r#"{"status": "Succeeded"}"#, Ok(Progress::Done)),
        (200, "", Ok(Progress::Done)),
        (201, "", Ok(Progress::Done)),
        (204, "", Ok(Progress::Done)),
        (200, r#"{"id": "/subscriptions/s/x", "properties": {"state": "Running"}}"#, Ok(Progress::Done)),
        (200, "<html>", Err(ErrorKind::Ambiguous)),
        (200, "{}", Err(ErrorKind::Ambiguous)),
        (200, r#"{"status": 5}"#, Err(ErrorKind::Ambiguous)),
        (200, r#"{"error": {"code": "Odd"}}"#, Err(ErrorKind::Ambiguous)),
        (404, r#"{"status": "Failed"}"#, Err(ErrorKind::Ambiguous)),
        (404, r#"{"error": {"code": "ResourceNotFound"}}"#, Err(ErrorKind::NotFound)),
        (400, "", Err(ErrorKind::Ambiguous)),
        (409, r#"{"Code": "Conflict", "Message": "busy"}"#, Err(ErrorKind::Conflict { retry_after: None })),
        (500, r#"{"status": "Failed"}"#, Err(ErrorKind::Ambiguous)),
    ] {
        assert_eq!(progress(status, body), read, "{status} {body}");
    }
}

#[test]
fn the_retry_after_of_an_active_operation_is_kept() {
    let app = app();
    let subject = CallSubject::app(Operation::GetOperation, &app);
    let progress = answer(subject, response(202, &[("retry-after", "15")], "")).progress().unwrap();
    assert_eq!(progress, Progress::UnderWay { retry_after: Some(Duration::from_secs(15)) });
}

#[test]
fn a_failure_shows_its_cause_without_secrets() {
    let details = json!([{"message": "Sharing violation to C:\\a.pptx"}, {"message": "url ?sig=S3CR3T"}, 5]);
    let error = json!({"code": "ResourceOperationFailure", "message": "terminal state 'Failed'.", "details": details});
    let failed = json!({"status": "Failed", "error": error}).to_string();
    let bare = json!({ "error": error }).to_string();
    let detail = "ResourceOperationFailure: terminal state 'Failed'.: Sharing violation to C:\\a.pptx: \
                  url ?sig=[blanked]";
    for (status, body) in [(200, &failed), (202, &failed), (409, &failed), (400, &bare)] {
        assert_eq!(progress(status, body), Ok(Progress::Failed { detail: detail.into() }), "{status}");
    }
    for word in ["Canceled", "cancelled", "TimedOut"] {
        let detail = "azure gives no reason".into();
        assert_eq!(
            progress(200, &json!({ "status": word }).to_string()),
            Ok(Progress::Failed { detail }),
            "{word}"
        );
    }
    let own = json!({"status": "Failed", "errors": [{"code": "X", "message": "no plan"}]}).to_string();
    assert_eq!(progress(200, &own), Ok(Progress::Failed { detail: "no plan".into() }));
}

#[test]
fn an_answer_shows_neither_its_body_nor_its_links() {
    let response = response(202, &[("location", "/subscriptions/s/x?sig=S3CR3T")], "S3CR3T");
    assert_eq!(format!("{response:?}"), "TransportResponse { status: 202, body_bytes: 6, .. }");
}

/// Reads a response in every way. No content may cause a panic.
fn read_all(status: u16, headers: &[(&'static str, &str)], body: &[u8]) {
    let app = app();
    let of = |operation| {
        let subject = CallSubject::backup(operation, &app, BackupId(1));
        answer(subject, TransportResponse { body: body.to_vec(), ..response(status, headers, "") })
    };
    let _ = of(Operation::GetBackup).backup();
    let _ = of(Operation::ListBackups).backups();
    let _ = of(Operation::DeleteBackup).deleted();
    let _ = of(Operation::BackupSecrets).backup_secrets();
    let _ = of(Operation::Restore).started();
    let _ = of(Operation::GetOperation).progress();
    let _ = of(Operation::Discover).discovered();
    let _ = of(Operation::GetSchedule).schedule();
    let _ = of(Operation::GetPermissions).permissions();
    let _ = of(Operation::DeleteSchedule).done();
}

proptest! {
    #[test]
    fn any_bytes_are_taken_by_every_reader(
        status in 100_u16..1000, body in any::<Vec<u8>>(), link in "[ -~]{0,40}",
    ) {
        let links = [("location", link.as_str()), ("azure-asyncoperation", link.as_str())];
        read_all(status, &links, &body);
        read_all(202, &links, &body);
    }

    #[test]
    fn any_text_is_taken_in_any_field_by_every_reader(text in any::<String>(), number in any::<f64>(), status in 199_u16..210) {
        let schedule = json!({"frequencyInterval": number, "frequencyUnit": text, "retentionPeriodInDays": text,
            "keepAtLeastOneBackup": text, "startTime": text});
        let properties = json!({"id": text, "storageAccountUrl": text, "operationId": text, "databases": [text, number],
            "siteName": number, "enabled": text, "backupSchedule": schedule});
        let error: Value = json!({"code": number, "message": text, "details": [text]});
        let body = json!({"id": text, "properties": properties, "status": text, "error": error, "errors": text});
        read_all(status, &[], body.to_string().as_bytes());
    }

    #[test]
    fn a_kept_path_always_leads_below_the_subscription(link in "(/subscriptions/s)?[ -~]{0,30}") {
        if let Ok(Some(path)) = operation(202, &[("location", &link)], "") {
            prop_assert!(path.starts_with("/subscriptions/s/"), "{path}");
            prop_assert!(!path.contains(['?', '#']), "{path}");
        }
    }
}
