//! Reads the bodies of responses.
//!
//! Bodies are read as values and not deserialized into types: the specification and the recordings disagree (ids as
//! numbers, keys that are absent until set, times with and without a zone), and one odd field must not hide a backup
//! that exists.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use holdfast_model::{
    BackupId, BackupStatus, DatabaseFacts, Site, SubscriptionId, Timestamp, fold_case, shorten_log,
};
use secrecy::SecretString;
use serde_json::Value;

use crate::scrub::scrub;
use crate::{Backup, Discovered, Subscription};

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The link to the next page, as the response has it: data from outside.
    pub(crate) next: Option<String>,
}

/// A body that does not fit its operation. The text says how and never quotes the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

/// Parses a body as JSON, after a byte order mark if it has one.
pub(crate) fn json_body(body: &[u8]) -> Result<Value, Unreadable> {
    let text = without_mark(body)?;
    if text.is_empty() {
        return Err(Unreadable("the body is empty".to_owned()));
    }
    serde_json::from_slice(text)
        .map_err(|e| Unreadable(format!("the body of {} bytes is not JSON at line {}", body.len(), e.line())))
}

/// Whether a body says nothing.
pub(crate) fn is_blank(body: &[u8]) -> bool {
    without_mark(body).is_ok_and(<[u8]>::is_empty)
}

/// The body without its byte order mark and the space around it. Its mark or its zeros identify UTF-16.
fn without_mark(body: &[u8]) -> Result<&[u8], Unreadable> {
    let is_utf16 = match body {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [first, second, ..] => (*first == 0) != (*second == 0),
        _ => false,
    };
    if is_utf16 {
        return Err(Unreadable("the body is UTF-16 and not UTF-8".to_owned()));
    }
    Ok(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii())
}

/// Reads a page of a list: `{"value": [...], "nextLink": ...}`.
///
/// A page that cannot be read whole is no shorter list: whatever it does not show would seem absent.
pub(crate) fn page(mut body: Value) -> Result<Page<Value>, Unreadable> {
    if body["error"].is_object() {
        return Err(Unreadable("the body is no whole list: it has an `error`".to_owned()));
    }
    let next = match &body["nextLink"] {
        Value::Null | Value::String(_) => text(&body, "nextLink").map(str::to_owned),
        _ => return Err(Unreadable("the link to the next page is no text".to_owned())),
    };
    match body.get_mut("value").map(Value::take) {
        Some(Value::Array(items)) => Ok(Page { items, next }),
        _ => Err(Unreadable("the body is no list: it has no `value`".to_owned())),
    }
}

/// Reads a backup. The POST's response has the site's id and name around it, so the backup's own id is `properties.id`;
/// only a list's element has it in its `id` as well. The caller adds what the headers say.
pub(crate) fn backup(body: &Value) -> Result<Backup, Unreadable> {
    let properties = &body["properties"];
    let id = number(properties, "id").or_else(|| id_in_path(body));
    let id = id.ok_or_else(|| Unreadable("the body is no backup: it has no id".to_owned()))?;
    let owned = |key| text(properties, key).map(str::to_owned);
    Ok(Backup {
        id: BackupId(id),
        name: owned("name").or_else(|| owned("backupName")),
        blob_name: owned("blobName"),
        container: text(properties, "storageAccountUrl").and_then(container),
        status: status(&properties["status"]),
        created: time(properties, "created"),
        finished: time(properties, "finishedTimeStamp"),
        size_bytes: number(properties, "sizeInBytes"),
        website_size_bytes: number(properties, "websiteSizeInBytes"),
        log: text(properties, "log").map(|log| shorten_log(&scrub(log))),
        databases: databases(&properties["databases"]),
        restored: time(properties, "lastRestoreTimeStamp"),
        scheduled: flag(properties, "scheduled"),
        correlation_id: owned("correlationId"),
        request_id: None,
        retry_after: None,
    })
}

/// The container in a URL with a SAS. A specification's examples have connection strings in its place; they name none.
fn container(url: &str) -> Option<String> {
    let bare = url.split(['?', '#']).next()?.trim_end_matches('/');
    let (scheme, rest) = bare.split_once("://")?;
    let is_url = matches!(scheme, "https" | "http") && !rest.contains(['@', ';', '=']) && rest.contains('/');
    is_url.then(|| bare.to_owned())
}

/// Reads the databases of a backup or a blob; null when there are none. Connection strings, which old versions return,
/// are not read.
pub(crate) fn databases(value: &Value) -> Vec<DatabaseFacts> {
    let database = |of: &Value| {
        let kind = text(of, "databaseType").unwrap_or_default().to_owned();
        Some(DatabaseFacts { kind, name: text(of, "name")?.to_owned() })
    };
    value.as_array().into_iter().flatten().filter_map(database).collect()
}

/// Reads the container's URL with its SAS, for the calls that return it.
pub(crate) fn storage_url(body: &Value) -> Option<SecretString> {
    text(&body["properties"], "storageAccountUrl").map(SecretString::from)
}

/// Reads what a blob holds. A database that cannot be read fails it: without it the blob would seem to hold fewer.
pub(crate) fn discovered(body: &Value) -> Result<Discovered, Unreadable> {
    let properties = &body["properties"];
    if !properties.is_object() {
        return Err(Unreadable("the body tells of no blob: it has no `properties`".to_owned()));
    }
    let databases = databases(&properties["databases"]);
    let told = properties["databases"].as_array().map_or(0, Vec::len);
    if told != databases.len() || !matches!(properties["databases"], Value::Null | Value::Array(_)) {
        return Err(Unreadable("the databases in it cannot be read".to_owned()));
    }
    Ok(Discovered { databases, site: text(properties, "siteName").map(str::to_owned) })
}

/// Reads a subscription of a list.
pub(crate) fn subscription(body: &Value) -> Result<Subscription, Unreadable> {
    let no_id = || Unreadable("the body is no subscription: it has no `subscriptionId`".to_owned());
    let id = text(body, "subscriptionId").ok_or_else(no_id)?;
    Ok(Subscription {
        id: SubscriptionId::new(id),
        name: text(body, "displayName").unwrap_or(id).to_owned(),
        state: text(body, "state").unwrap_or("unknown").to_owned(),
    })
}

/// Reads a site, from a list or alone.
pub(crate) fn site(body: &Value) -> Result<Site, Unreadable> {
    let no_id = || Unreadable("the body is no site: its id is not an app's".to_owned());
    let id = text(body, "id").and_then(|id| id.parse().ok()).ok_or_else(no_id)?;
    let properties = &body["properties"];
    let tier = text(properties, "sku").or_else(|| text(&body["sku"], "tier"));
    let hosts = properties["hostNames"].as_array().into_iter().flatten();
    let tags = body["tags"].as_object().into_iter().flatten();
    Ok(Site {
        id,
        location: text(body, "location").unwrap_or_default().to_owned(),
        plan: text(properties, "serverFarmId").map(fold_case),
        kind: text(body, "kind").map(str::to_owned),
        state: text(properties, "state").map(str::to_owned),
        tier: tier.map(str::to_owned),
        operation: text(properties, "inProgressOperationId").map(str::to_owned),
        hosts: hosts.filter_map(|host| host.as_str().map(str::to_owned)).collect(),
        tags: tags.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect(),
    })
}

/// The text at `key`; a missing, null, empty or other value counts as none.
pub(crate) fn text<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    of[key].as_str().filter(|text| !text.trim().is_empty())
}

pub(crate) fn number(of: &Value, key: &str) -> Option<i64> {
    of[key].as_i64().or_else(|| of[key].as_str()?.trim().parse().ok())
}

fn flag(of: &Value, key: &str) -> bool {
    of[key].as_bool().unwrap_or_else(|| of[key].as_str().is_some_and(|s| s.eq_ignore_ascii_case("true")))
}

/// Reads a status: a name in recordings since 2017, an integer in 2015. Anything else is `Unknown`, never a
/// success.
fn status(value: &Value) -> BackupStatus {
    match value {
        Value::Number(code) => {
            code.as_i64().map_or_else(|| BackupStatus::Unknown(code.to_string()), BackupStatus::from_code)
        }
        other => BackupStatus::from_word(other.as_str().unwrap_or_default()),
    }
}

/// Reads a time. All are UTC; only the POST's response says so with a `Z`. The fraction has 5 to 7 digits.
pub(crate) fn time(of: &Value, key: &str) -> Option<Timestamp> {
    let text = text(of, key)?.trim();
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc));
    let at =
        zoned.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc()));
    at.ok().map(|at| at.trunc_subsecs(3))
}

/// The id at the end of `…/backups/137115`.
fn id_in_path(body: &Value) -> Option<i64> {
    let (before, id) = text(body, "id")?.rsplit_once('/')?;
    let is_backup = before.rsplit('/').next().is_some_and(|word| word.eq_ignore_ascii_case("backups"));
    is_backup.then(|| id.parse().ok())?
}

#[cfg(test)]
mod tests {
    use holdfast_model::{Cause, PollDecision, format_timestamp, poll_decision};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_utc_with_and_without_a_zone_and_cut_to_the_millisecond() {
        for (text, read) in [
            ("2026-02-03T16:43:03.89532Z", "2026-02-03T16:43:03.895Z"),
            ("2026-02-03T16:43:03.8953219", "2026-02-03T16:43:03.895Z"),
            ("2026-02-03T16:43:03", "2026-02-03T16:43:03.000Z"),
            ("2026-02-03T16:43:03.1+02:00", "2026-02-03T14:43:03.100Z"),
        ] {
            assert_eq!(time(&json!({ "at": text }), "at").map(format_timestamp).as_deref(), Some(read));
        }
        assert_eq!(time(&json!({ "at": "yesterday" }), "at"), None);
    }

    #[test]
    fn an_id_is_read_from_a_number_a_text_or_the_path_and_nothing_else() {
        for body in [
            json!({"properties": {"id": 7}}),
            json!({"properties": {"id": "7"}}),
            json!({"id": "/subscriptions/s/x/Backups/7", "properties": {}}),
        ] {
            assert_eq!(backup(&body).unwrap().id, BackupId(7), "{body}");
        }
        for body in
            [json!({"id": "/x/sites/7", "properties": {"id": 1.5}}), json!([]), json!(null), json!("7")]
        {
            assert!(backup(&body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_backup_with_odd_fields_is_still_found_and_never_a_success() {
        let body =
            json!({"properties": {"id": 7, "name": 5, "status": {}, "created": 3, "sizeInBytes": "x"}});
        let backup = backup(&body).unwrap();
        assert!(matches!(backup.status, BackupStatus::Unknown(_)));
        assert_eq!((backup.name, backup.created, backup.size_bytes), (None, None, None));
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_utf_16_is_named() {
        let body = r#"{"properties": {"id": 7}}"#;
        let marked = [b"\xef\xbb\xbf", body.as_bytes()].concat();
        assert_eq!(backup(&json_body(&marked).unwrap()).unwrap().id, BackupId(7));
        let wide = |mark: Option<u16>| mark.into_iter().chain(body.encode_utf16());
        for utf16 in [
            wide(Some(0xfeff)).flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
            wide(Some(0xfeff)).flat_map(u16::to_be_bytes).collect(),
            wide(None).flat_map(u16::to_le_bytes).collect(),
            wide(None).flat_map(u16::to_be_bytes).collect(),
        ] {
            let Unreadable(why) = json_body(&utf16).unwrap_err();
            assert_eq!(why, "the body is UTF-16 and not UTF-8");
        }
        for blank in [&b""[..], b"\xef\xbb\xbf", b" \r\n"] {
            assert!(is_blank(blank));
            assert_eq!(json_body(blank), Err(Unreadable("the body is empty".to_owned())));
        }
        assert!(!is_blank(b"<html>") && !is_blank(b"\xff\xfe"));
    }

    #[test]
    fn a_page_that_cannot_be_read_whole_is_no_list() {
        for body in [
            json!({"value": null}),
            json!({}),
            json!({"value": {}}),
            json!({"value": [], "nextLink": 5}),
            json!({"value": [], "nextLink": {"href": "/next"}}),
            json!({"value": [], "error": {"code": "Partial", "message": "no"}}),
            json!([]),
            json!(null),
        ] {
            assert!(page(body.clone()).is_err(), "{body}");
        }
        assert!(page(json!({"value": [], "nextLink": ""})).unwrap().next.is_none());
    }

    #[test]
    fn the_reason_at_the_end_of_a_long_log_is_kept() {
        let log = format!("{}Login failed for user 'sa'.", "x".repeat(5_000));
        let backup = backup(&json!({"properties": {"id": 7, "status": "Failed", "log": log}})).unwrap();
        let decision = poll_decision(&backup.status, backup.log.as_deref());
        assert_eq!(decision, PollDecision::Fail(Cause::DatabaseRefused));
        assert!(backup.log.unwrap().contains("characters left out"));
    }

    #[test]
    fn a_log_loses_its_secrets_and_an_empty_one_is_none() {
        let read = |log: &str| backup(&json!({"properties": {"id": 7, "log": log}})).unwrap().log;
        assert_eq!(
            read("cannot open https://a/b?sig=S3cr3t"),
            Some("cannot open https://a/b?sig=[blanked]".into())
        );
        assert_eq!(read(""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = json_body(&body) {
                let _ = (backup(&value), site(&value), page(value));
            }
        }

        #[test]
        fn any_text_is_taken_in_any_field(text in any::<String>(), number in any::<f64>()) {
            let properties = json!({"id": text, "name": text, "status": text, "created": text, "log": text,
                "sizeInBytes": number, "websiteSizeInBytes": text, "scheduled": text, "finishedTimeStamp": number});
            let value = json!({"id": text, "properties": properties, "nextLink": text, "value": [text], "tags": text});
            let _ = (backup(&value), site(&value), page(value));
        }
    }
}
