//! The audit through the API and its page: verified, exported with signatures, and anchored.

use holdfast_access::Role;
use holdfast_control::audit::verify_export;
use serde_json::{Value, json};

use crate::access::{SMALL, ask};
use crate::azure_audit::signing_key;
use crate::world::{World, between};

#[tokio::test]
async fn an_export_of_the_page_and_of_the_api_are_the_same_verified_events() {
    let (world, _clock) = World::with_login(SMALL).await;
    let viewer = world.token("viewer", Role::Viewer, &[]).await;
    let keys = [signing_key().verifying_key().unwrap()];
    let page = ask(&world, &viewer, "GET /audit?person=boss", "").await.body;
    let shown = between(&page, "href=\"/audit/export?", "\"").replace("&amp;", "&");
    for path in
        ["/audit/export?person=boss", "/api/v1/audit/export?person=boss", &format!("/audit/export?{shown}")]
    {
        let answer = ask(&world, &viewer, &format!("GET {path}"), "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.head.contains("content-type: application/x-ndjson"), "{}", answer.head);
        let found = verify_export(answer.body.as_bytes(), path, &keys).unwrap();
        assert_eq!((found.filter.as_str(), found.events), ("acts=1&person=boss", 1), "{path}");
    }
    let whole = ask(&world, &viewer, "GET /audit/export", "").await.body;
    let end = world.store.last_event().await.unwrap().unwrap().link;
    assert_eq!(verify_export(whole.as_bytes(), "x", &keys).unwrap().audit.hash, end.hash);
    let wrong = ask(&world, &viewer, "GET /api/v1/audit/export?after=3&previous=00", "").await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
}

#[tokio::test]
async fn a_verification_of_the_audit_is_begun_once_and_looked_at_until_it_is_done() {
    let (world, _clock) = World::with_login(SMALL).await;
    let viewer = world.token("viewer", Role::Viewer, &[]).await;
    let begun = ask(&world, &viewer, "POST /api/v1/audit/verifications", "{}").await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    let at = between(&begun.head, "operation-location: ", "\r\n").to_owned();
    let found: Value = loop {
        let answer = ask(&world, &viewer, &format!("GET {at}"), "").await;
        let found: Value = serde_json::from_str(&answer.body).unwrap();
        if found["status"] != "under_way" {
            break found;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&found["status"], &found["check"]["holds"]), (&json!("done"), &json!(true)), "{found}");
    assert_eq!(found["check"]["rows_compared"], true);
    let wrong = ask(&world, &viewer, "POST /api/v1/audit/verifications", "{\"since\":\"x\"}").await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
}

#[tokio::test]
async fn who_settles_dead_letters_is_in_the_audit_and_a_checked_file_is_kept_nowhere() {
    let (world, _clock) = World::with_login(SMALL).await;
    let operator = world.token("operator", Role::Operator, &[]).await;
    let all = ask(&world, &operator, "GET /api/v1/dead-letters", "").await.body;
    assert!(all.contains("it is no JSON"), "{all}");
    let done = ask(&world, &operator, "POST /api/v1/dead-letters/retry", "{\"letter\":\"5b1c\"}").await;
    assert_eq!((done.status, done.body.as_str()), (200, "{\"letters\":1}"));
    for body in ["{}", "{\"letter\":\"5b1c\",\"all\":true}"] {
        assert_eq!(
            ask(&world, &operator, "POST /api/v1/dead-letters/drop", body).await.status,
            400,
            "{body}"
        );
    }
    let text = json!({ "name": "x.toml", "text": "[storage.weu]\nkey = \"hush-hush\"\n" }).to_string();
    let checked = ask(&world, &operator, "POST /api/v1/config/check", &text).await;
    assert!(checked.status == 200 && checked.body.contains("\"valid\":false"), "{}", checked.body);
    assert!(!checked.body.contains("hush"), "{}", checked.body);
    let audit = world.audit().await;
    assert!(audit.contains("DeadLettersRetried") && !audit.contains("DeadLettersDropped"), "{audit}");
    assert!(audit.contains("through: Some(\"api\")") && !audit.contains("hush"), "{audit}");
}
