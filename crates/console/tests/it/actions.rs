//! Backing up from a page and through the API: asked, confirmed, done once.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::filled::{Filled, Filling};
use crate::world::{Answer, World, between};

const SMALL: Filling = Filling { apps: 40, days: 1, hostile: false };
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// The ARM id of the first app of a view.
async fn first(world: &World, query: &str) -> String {
    between(&world.page(&format!("/fleet?{query}")).await, "name=\"app\" value=\"", "\"").to_owned()
}

/// The confirmation that a preview asks for, with `count` typed.
pub fn confirmation(preview: &Answer, count: &str) -> String {
    format!("count={count}&{}", fields_of(preview, "action=\"/backups\">"))
}

/// The hidden fields of the form that begins with a text.
pub fn fields_of(preview: &Answer, form: &str) -> String {
    let fields = between(&preview.body, form, "<label").to_owned();
    let mut body = String::new();
    for field in fields.split("<input ").skip(1) {
        let (name, value) = (between(field, "name=\"", "\""), between(field, "value=\"", "\""));
        let value = value.replace('%', "%25").replace("&amp;", "%26").replace('=', "%3D");
        write!(body, "&{name}={value}").unwrap();
    }
    body
}

#[tokio::test]
async fn a_selection_is_previewed_confirmed_by_its_number_and_backed_up_once() {
    let world = World::of(SMALL).await;
    let app = first(&world, "condition=good").await;
    let before = world.runs().await;
    let preview = world.form("/backups/preview", &format!("scope=some&app={app}")).await;
    assert_eq!(preview.status, 200, "{}", preview.body);
    assert!(preview.body.contains("<h1>Back up 1 app now?</h1>"), "{}", preview.body);
    let refused = world.form("/backups", &confirmation(&preview, "2")).await;
    assert_eq!((refused.status, world.runs().await), (400, before), "{}", refused.body);
    let done = world.form("/backups", &confirmation(&preview, "1")).await;
    assert_eq!((done.status, world.runs().await), (303, before + 1), "{}", done.body);
    let again = world.form("/backups", &confirmation(&preview, "1")).await;
    let place = |answer: &Answer| between(&answer.head, "location: ", "\r\n").to_owned();
    assert_eq!((again.status, world.runs().await), (303, before + 1), "a double click");
    assert_eq!(place(&done), place(&again));
    let result = world.page(&place(&done)).await;
    assert!(result.contains("<h1>One backup starts now.</h1>"), "{result}");
}

#[tokio::test]
async fn clicks_at_the_same_time_start_one_backup() {
    let world = World::of(SMALL).await;
    let app = first(&world, "condition=good").await;
    let before = world.runs().await;
    let preview = world.form("/backups/preview", &format!("app={app}")).await;
    let body = confirmation(&preview, "1");
    let clicks = (0..8).map(|_| world.form("/backups", &body));
    let statuses: Vec<u16> =
        futures::future::join_all(clicks).await.iter().map(|answer| answer.status).collect();
    assert!(
        statuses.contains(&303) && statuses.iter().all(|status| [303, 409].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(world.runs().await, before + 1);
}

#[tokio::test]
async fn all_that_match_are_backed_up_but_what_is_under_way_or_in_no_policy() {
    let world = World::of(SMALL).await;
    let before = world.runs().await;
    let preview = world.form("/backups/preview", "scope=all&query=q%3Da").await;
    let count: usize = between(&preview.body, "Type <b>", "</b>").parse().unwrap();
    assert!(preview.body.contains("has a run under way"), "{}", preview.body);
    let done = world.form("/backups", &confirmation(&preview, &count.to_string())).await;
    assert_eq!((done.status, world.runs().await), (303, before + count), "{}", done.body);
}

#[tokio::test]
async fn a_form_of_another_site_a_forged_one_and_an_empty_one_start_nothing() {
    let world = World::of(SMALL).await;
    let app = first(&world, "condition=good").await;
    let before = world.runs().await;
    let preview = world.form("/backups/preview", &format!("app={app}")).await;
    let body = confirmation(&preview, "1");
    for (headers, status) in [
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Origin", "http://evil.example")], 403),
        (vec![("Origin", "null")], 403),
        (vec![("X-Forwarded-For", "10.0.0.4")], 403),
    ] {
        let answer = world.ask("POST /backups", &headers, &body).await;
        assert_eq!(answer.status, status, "{headers:?}");
        let answer = world.ask("POST /backups/preview", &headers, &format!("app={app}")).await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
    let token = between(&body, "form=", "&");
    let forged = body.replace(token, "00000000000000000000000000000000");
    assert_eq!(world.form("/backups", &forged).await.status, 403);
    assert_eq!(world.form("/backups", &body.replace(&format!("&form={token}"), "")).await.status, 403);
    assert_eq!(world.form("/backups/preview", "scope=some").await.status, 400);
    assert_eq!(world.form("/backups/preview", "app=shop").await.status, 400);
    let large = format!("app={}", "a".repeat(300_000));
    assert_eq!(world.form("/backups/preview", &large).await.status, 413);
    assert_eq!(world.runs().await, before);
}

#[tokio::test]
async fn the_api_lists_everything_once_over_its_pages() {
    let world = World::of(Filling { apps: 250, days: 0, hostile: false }).await;
    let (mut path, mut names) = ("/api/v1/apps?sort=name".to_owned(), Vec::new());
    loop {
        let page: Value = serde_json::from_str(&world.page(&path).await).unwrap();
        assert_eq!(page["count"], 250);
        names.extend(page["value"].as_array().unwrap().iter().map(|row| row["app"].to_string()));
        match page["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    let listed = names.len();
    names.sort();
    names.dedup();
    assert_eq!((listed, names.len()), (250, 250));
    for path in ["/api/v1/overview", "/api/v1/runs", "/api/v1/audit"] {
        assert!(serde_json::from_str::<Value>(&world.page(path).await).unwrap().is_object(), "{path}");
    }
    let app: Value = serde_json::from_str(&world.page("/api/v1/apps/shop-0001").await).unwrap();
    assert_eq!(app["name"], "shop-0001");
    for (path, status, code) in [
        ("/api/v1/apps/nobody", 404, "no_such_app"),
        ("/api/v1/runs/7", 404, "no_such_run"),
        ("/api/v1/nowhere", 404, "no_such_page"),
        ("/api/v1/apps?sort=luck", 400, "invalid"),
        ("/api/v1/runs?kind=luck", 400, "invalid_query"),
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.head.contains("content-type: application/problem+json"), "{path}");
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)), "{path}");
    }
}

#[tokio::test]
async fn the_api_backs_up_once_for_each_key_and_refuses_what_it_cannot_read() {
    let world = World::of(SMALL).await;
    let app = first(&world, "condition=good").await;
    let before = world.runs().await;
    let body = json!({ "apps": [app] }).to_string();
    let key = ("Idempotency-Key", "night-1");
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = world.ask("POST /api/v1/backups", &[JSON, key], &body).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        assert!(answer.head.contains("operation-location: /api/v1/runs/"), "{}", answer.head);
        assert!(answer.head.contains("retry-after: 5"), "{}", answer.head);
        answers.push(answer.body);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(world.runs().await, before + 1);
    for (headers, body, status) in [
        (vec![JSON, key], r#"{"apps":["shop"]}"#, 422),
        (vec![JSON], "{}", 400),
        (vec![JSON], r#"{"apps":["nobody"]}"#, 404),
        (vec![JSON], r#"{"apps":["shop"],"query":"","count":1}"#, 400),
        (vec![JSON], r#"{"apps":["shop"],"force":true}"#, 400),
        (vec![JSON], r#"{"query":"policy=gold"}"#, 400),
        (vec![], r#"{"apps":["shop"]}"#, 415),
        (vec![("Content-Type", "text/plain")], r#"{"apps":["shop"]}"#, 415),
        (vec![JSON, ("Sec-Fetch-Site", "cross-site")], r#"{"apps":["shop"]}"#, 403),
    ] {
        let answer = world.ask("POST /api/v1/backups", &headers, body).await;
        assert_eq!(answer.status, status, "{headers:?} {body}: {}", answer.body);
        assert!(answer.head.contains("application/problem+json"), "{body}");
    }
    assert_eq!(world.runs().await, before + 1);
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_with_its_process_is_answered_by_the_next_one() {
    let filled = Filled::new(SMALL).await;
    let serve = || World::over("127.0.0.1:0", Arc::clone(&filled.store), Arc::clone(&filled.clock) as _);
    let (first_process, key) = (serve().await, ("Idempotency-Key", "night-1"));
    let body = json!({ "apps": [first(&first_process, "condition=good").await] }).to_string();
    let before = first_process.runs().await;
    let lost = first_process.ask("POST /api/v1/backups", &[JSON, key], &body).await;
    drop(first_process);
    let next_process = serve().await;
    let answer = next_process.ask("POST /api/v1/backups", &[JSON, key], &body).await;
    assert_eq!((answer.status, &answer.body), (202, &lost.body));
    assert_eq!(next_process.runs().await, before + 1);
    let other = next_process.ask("POST /api/v1/backups", &[JSON, key], r#"{"apps":["nobody"]}"#).await;
    assert_eq!(other.status, 422, "{}", other.body);
    assert!(other.body.contains("\"code\":\"idempotency_key_reused\""), "{}", other.body);
    filled.clock.advance(std::time::Duration::from_hours(24));
    let later = serve().await.ask("POST /api/v1/backups", &[JSON, key], &body).await;
    assert_eq!(later.status, 202);
    assert_ne!(later.body, lost.body, "a day later the key is free");
}
