//! Coverage, restores and drills from pages and through the API.

use std::sync::Arc;

use holdfast_model::{RunKind, Task};
use holdfast_store::{CatalogFilter, RunFilter};
use serde_json::{Value, json};

use crate::access::{ANY, ask};
use crate::actions::fields_of;
use crate::filled::{Filled, Filling};
use crate::world::{Answer, World, between};

const SMALL: Filling = Filling { apps: 40, days: 2, hostile: false };
const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn point(world: &World) -> holdfast_model::CatalogEntry {
    let all = world.store.catalog(&CatalogFilter::default()).await.unwrap();
    all.into_iter().find(|entry| entry.good && entry.app.slot().is_none()).unwrap()
}

async fn restores(world: &World) -> Vec<Task> {
    let filter = RunFilter { kind: Some(RunKind::Restore), ..RunFilter::default() };
    world.store.runs(&filter).await.unwrap().into_iter().map(|run| run.task).collect()
}

fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    between(&answer.head, "location: ", "\r\n").to_owned()
}

/// A request of a route of restores and drills, with its body and the status of its answer; 0 for any that is no refusal.
pub async fn sample(world: &World, token: &str, path: &str, app: &str) -> (String, String, u16) {
    let asked = format!("app={app}");
    let (body, status) = match path {
        "/restores/preview" | "/drills/preview" => (asked, 200),
        "/restores" | "/drills" => {
            let preview = ask(world, token, &format!("POST {path}/preview"), &asked).await;
            let is_permitted = preview.status == 200;
            let form =
                if is_permitted { between(&preview.body, "name=\"form\" value=\"", "\"") } else { "none" };
            (format!("form={form}&{asked}&confirm=nothing"), 400)
        }
        _ => (json!({ "app": app }).to_string(), ANY),
    };
    (path.to_owned(), body, status)
}

#[tokio::test]
async fn the_coverage_is_asked_for_once_in_the_background_and_says_what_to_write() {
    let world = World::of(SMALL).await;
    let first = world.get("/api/v1/coverage").await;
    assert!([200, 202].contains(&first.status), "{}", first.body);
    let mut page = world.page("/coverage").await;
    while page.contains("Azure is asked for its apps") {
        tokio::task::yield_now().await;
        page = world.page("/coverage").await;
    }
    assert!(page.contains("<h1>One app is backed up by nothing.</h1>"), "{page}");
    assert!(page.contains("it has the tags of no [[discover]] rule"), "{page}");
    assert!(page.contains("[[app]]") && page.contains("nobody\\&quot;&lt;img src=x&gt;"), "{page}");
    assert!(!page.contains("<img"), "{page}");
    let answer: Value = serde_json::from_str(&world.page("/api/v1/coverage").await).unwrap();
    assert_eq!(answer["lists"][0]["kind"], "unprotected");
    assert_eq!(answer["lists"][0]["count"], 1);
}

#[tokio::test]
async fn the_capacity_shows_the_forecast_once_it_is_made() {
    let world = World::of(SMALL).await;
    let mut page = world.page("/capacity").await;
    while page.contains("The forecast is being made") {
        tokio::task::yield_now().await;
        page = world.page("/capacity").await;
    }
    assert!(
        page.contains("The next 24 hours") && page.contains("1 of 10 apps have no past backup"),
        "{page}"
    );
    let overview = world.page("/").await;
    assert!(
        overview.contains("In the next 24 hours 10 backups begin; the last one ends at about "),
        "{overview}"
    );
}

#[tokio::test]
async fn a_restore_shows_its_plan_and_starts_once_by_the_name_of_its_target() {
    let world = World::of(SMALL).await;
    let entry = point(&world).await;
    let app = entry.app.to_string();
    let form = world
        .page(&format!("/restores/form?app={}&backup={}", app.replace('/', "%2F"), entry.backup.id))
        .await;
    assert!(form.contains(&format!("<option value=\"{}\" selected>", entry.backup.id)), "{form}");
    let asked = format!("app={app}&backup={}&target=slot&name=staging", entry.backup.id);
    let plan = world.form("/restores/preview", &asked).await;
    let target = format!("{}/staging", entry.app.site());
    assert!(plan.body.contains(&format!("Everything in {target} will be replaced.")), "{}", plan.body);
    assert!(
        plan.body.contains("managed identity") && plan.body.contains("older than a day"),
        "{}",
        plan.body
    );
    let body = |confirm: &str| format!("confirm={confirm}&{}", fields_of(&plan, "action=\"/restores\">"));
    let refused = world.form("/restores", &body("shop")).await;
    assert_eq!((refused.status, restores(&world).await.len()), (400, 0), "{}", refused.body);
    let places =
        [world.form("/restores", &body(&target)).await, world.form("/restores", &body(&target)).await];
    assert_eq!(place(&places[0]), place(&places[1]), "a double click");
    assert!(world.page(&place(&places[0])).await.contains("starts now.</h1>"));
    let tasks = restores(&world).await;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].restore().unwrap().backup, Some(entry.backup.id));
    for (asked, status) in [
        (format!("app={app}&target=slot"), 400),
        (format!("app={app}&backup=x"), 400),
        (format!("app={app}&backup=999"), 404),
        (format!("app={app}&at=yesterday"), 400),
    ] {
        assert_eq!(world.form("/restores/preview", &asked).await.status, status, "{asked}");
    }
    let forged = format!("form=0&confirm={target}&{asked}");
    assert_eq!(world.form("/restores", &forged).await.status, 403);
}

#[tokio::test]
async fn a_drill_is_planned_into_the_scratch_app_and_confirmed_by_its_name() {
    let world = World::of(SMALL).await;
    let entry = point(&world).await;
    let plan = world.form("/drills/preview", &format!("app={}", entry.app)).await;
    assert!(plan.body.contains("Everything in scratch will be replaced."), "{}", plan.body);
    let done =
        world.form("/drills", &format!("confirm=scratch&{}", fields_of(&plan, "action=\"/drills\">"))).await;
    assert!(world.page(&place(&done)).await.contains("<h1>The drill into scratch starts now.</h1>"));
}

#[tokio::test]
async fn the_api_plans_and_starts_the_same_restore_once_for_each_key() {
    let world = World::of(SMALL).await;
    let entry = point(&world).await;
    let asked = json!({ "app": entry.app, "backup": entry.backup.id, "overwrite": true });
    let post = async |path: &str, body: &Value, key: &str| {
        world.ask(&format!("POST /api/v1{path}"), &[JSON, ("Idempotency-Key", key)], &body.to_string()).await
    };
    let plan = post("/restores/plan", &asked, "1").await;
    assert_eq!(plan.status, 200, "{}", plan.body);
    assert_eq!(serde_json::from_str::<Value>(&plan.body).unwrap()["backup"]["id"], json!(entry.backup.id));
    assert_eq!(post("/restores", &asked, "2").await.status, 400, "not confirmed");
    let mut confirmed = asked.clone();
    confirmed["confirm"] = json!(entry.app.short_name());
    for _ in 0..2 {
        let started = post("/restores", &confirmed, "3").await;
        assert_eq!(started.status, 202, "{}", started.body);
        assert!(started.head.contains("operation-location: /api/v1/runs/"), "{}", started.head);
    }
    assert_eq!(restores(&world).await.len(), 1);
    let other = post("/restores", &asked, "3").await;
    assert_eq!(other.status, 422, "the key was used for another body: {}", other.body);
    for (body, status) in [
        (json!({ "app": "nobody" }), 404),
        (json!({ "app": entry.app, "force": true }), 400),
        (json!({ "app": entry.app, "backup": 1, "at": "2026-01-01T00:00:00Z" }), 400),
    ] {
        assert_eq!(post("/restores/plan", &body, "4").await.status, status, "{body}");
    }
}

#[tokio::test]
async fn a_restore_whose_answer_was_lost_with_its_process_is_not_started_again_by_the_next_one() {
    let filled = Filled::new(SMALL).await;
    let serve = || World::over("127.0.0.1:0", Arc::clone(&filled.store), Arc::clone(&filled.clock) as _);
    let first_process = serve().await;
    let entry = point(&first_process).await;
    let confirm = entry.app.short_name();
    let body = json!({ "app": entry.app, "backup": entry.backup.id, "overwrite": true, "confirm": confirm });
    let post = async |world: &World| {
        let headers = [JSON, ("Idempotency-Key", "night-1")];
        world.ask("POST /api/v1/restores", &headers, &body.to_string()).await
    };
    let lost = post(&first_process).await;
    assert_eq!(lost.status, 202, "{}", lost.body);
    drop(first_process);
    let next_process = serve().await;
    let answer = post(&next_process).await;
    assert_eq!((answer.status, &answer.body), (202, &lost.body));
    assert_eq!(restores(&next_process).await.len(), 1);
}
