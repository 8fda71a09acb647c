//! Acts on runs and apps from pages and through the API: retry, acknowledge, pause, resume, cancel, hold.

use holdfast_model::{
    App, AppId, NewBackup, NewRun, Outcome, PolicyName, PolicySnapshot, RunId, StorageName, Trigger,
};
use holdfast_store::{AppStatus, RunFilter};
use serde_json::{Value, json};

use crate::actions::confirmation;
use crate::filled::{Filling, HOSTILE};
use crate::world::{Answer, World, between};

const SMALL: Filling = Filling { apps: 70, days: 3, hostile: false };
const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn failed(world: &World) -> Vec<holdfast_model::Run> {
    let filter = RunFilter { outcomes: [Outcome::Failed].into(), ..RunFilter::default() };
    world.store.runs(&filter).await.unwrap()
}

/// A failed run after which no backup of its app succeeded.
async fn lasting(world: &World) -> holdfast_model::Run {
    let status = world.store.status().await.unwrap();
    let is_last = |run: &&holdfast_model::Run| {
        status.iter().any(|status| status.last.as_ref().is_some_and(|last| last.run_id == run.id))
    };
    failed(world).await.iter().find(is_last).unwrap().clone()
}

async fn status(world: &World, app: &AppId) -> AppStatus {
    world.store.status().await.unwrap().into_iter().find(|status| status.app == *app).unwrap()
}

/// Opens the form of an act, sends it with these fields, and returns the answer.
async fn act(world: &World, act: &str, query: &str, fields: &str) -> Answer {
    let page = world.page(&format!("/acts/{act}/form?{query}")).await;
    let token = between(&page, "name=\"form\" value=\"", "\"");
    world.form(&format!("/acts/{act}"), &format!("form={token}&{query}&{fields}")).await
}

fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    between(&answer.head, "location: ", "\r\n").to_owned()
}

/// A run that waits for its turn.
async fn waiting(world: &World, app: &AppId) -> RunId {
    let now = world.store.now().await.unwrap();
    let app = App { policy: Some(PolicyName::new("gold")), ..App::new(app.clone()) };
    let snapshot = PolicySnapshot::new(StorageName::new("weu"), "bkpweu01");
    let new = NewBackup { tick: None, trigger: Trigger::Manual, due_at: now };
    let new = NewRun::backup(RunId::new(now, &mut fastrand::Rng::with_seed(9)), &app, &snapshot, new, now);
    world.store.add_run(&new).await.unwrap();
    new.run.id
}

#[tokio::test]
async fn selected_runs_are_retried_once_for_each_app_and_the_rest_is_left_out_with_its_reason() {
    let world = World::of(SMALL).await;
    let run = lasting(&world).await;
    let before = world.runs().await;
    let activity = world.page("/activity?outcome=failed").await;
    assert!(activity.contains(&format!("name=\"run\" value=\"{}\"", run.id)), "{activity}");
    let kind = Some(holdfast_model::RunKind::Backup);
    let good = RunFilter { kind, outcomes: [Outcome::Succeeded].into(), most: 1, ..RunFilter::default() };
    let good = world.store.runs(&good).await.unwrap().remove(0);
    let asked = format!("scope=runs&run={}&run={}&run={}", run.id, good.id, run.id);
    let preview = world.form("/backups/preview", &asked).await;
    assert!(preview.body.contains("<h1>Back up 1 app now?</h1>"), "{}", preview.body);
    assert!(preview.body.contains("2 runs selected. An app is backed up once."), "{}", preview.body);
    assert!(preview.body.contains("the run succeeded"), "{}", preview.body);
    let done = world.form("/backups", &confirmation(&preview, "1")).await;
    assert!(world.page(&place(&done)).await.contains("<h1>One backup starts now.</h1>"));
    assert_eq!(world.runs().await, before + 1);
}

#[tokio::test]
async fn all_runs_that_match_are_retried_and_none_when_others_match_meanwhile() {
    let world = World::of(SMALL).await;
    let before = world.runs().await;
    let preview = world.form("/backups/preview", "scope=all-runs&activity=outcome%3Dfailed").await;
    let count: usize = between(&preview.body, "Type <b>", "</b>").parse().unwrap();
    assert!(preview.body.contains("a later backup succeeded"), "{}", preview.body);
    let stale = confirmation(&preview, &count.to_string()).replace("matching=", "matching=9");
    assert_eq!((world.form("/backups", &stale).await.status, world.runs().await), (409, before));
    let done = world.form("/backups", &confirmation(&preview, &count.to_string())).await;
    place(&done);
    assert_eq!(world.runs().await, before + count);
    for (asked, status) in [
        ("scope=runs", 400),
        ("scope=runs&run=7", 404),
        ("scope=runs&run=018f0000-0000-7000-8000-000000000000", 404),
        ("scope=all-runs&activity=kind%3Drestore", 400),
        ("scope=all-runs&activity=outcome%3Dluck", 400),
    ] {
        assert_eq!(world.form("/backups/preview", asked).await.status, status, "{asked}");
    }
}

#[tokio::test]
async fn an_acknowledged_failure_leaves_the_counts_with_a_note_and_a_double_click_records_it_once() {
    let world = World::of(SMALL).await;
    let run = lasting(&world).await;
    let page = world.page(&format!("/runs/{}", run.id)).await;
    assert!(page.contains("Acknowledge…"), "{page}");
    let query = format!("run={}", run.id);
    let form = world.page(&format!("/acts/acknowledge/form?{query}")).await;
    let token = between(&form, "name=\"form\" value=\"", "\"");
    let body = format!("form={token}&{query}&reason=key+rotated");
    let places = [world.form("/acts/acknowledge", &body).await, world.form("/acts/acknowledge", &body).await];
    assert_eq!(place(&places[0]), place(&places[1]));
    let result = world.page(&place(&places[0])).await;
    assert!(result.contains("is acknowledged.</h1>"), "{result}");
    let status = status(&world, &run.app).await;
    assert_eq!(status.acknowledged.as_ref().unwrap().note, "key rotated");
    let page = world.page(&format!("/runs/{}", run.id)).await;
    assert!(page.contains("key rotated") && !page.contains("Acknowledge…"), "{page}");
    let condition = holdfast_control::views::Condition::of(&status, world.store.now().await.unwrap());
    assert!(!format!("{condition}").contains("failed"), "{condition}");
    let acts = world.store.acts(&holdfast_store::ActFilter { before: None, most: 50 }).await.unwrap();
    assert_eq!(acts.iter().filter(|act| act.app == run.app).count(), 1);
}

#[tokio::test]
async fn an_app_is_paused_for_a_time_and_resumed_with_who_and_why() {
    let world = World::of(SMALL).await;
    let app = world.store.status().await.unwrap().remove(3).app;
    let query = format!("app={}", app.to_string().replace('/', "%2F"));
    for (fields, code) in [
        ("reason=x&for=8", 400),
        ("reason=&for=8h", 400),
        ("reason=x&for=5000d", 400),
        ("reason=x", 400),
        ("reason=x&until=yesterday", 400),
        ("reason=x&until=2020-01-01T00:00:00Z", 400),
    ] {
        assert_eq!(act(&world, "pause", &query, fields).await.status, code, "{fields}");
    }
    assert_eq!(act(&world, "resume", &query, "reason=x").await.status, 409);
    let paused = act(&world, "pause", &query, "reason=move+to+linux&for=8h").await;
    assert!(world.page(&place(&paused)).await.contains("is paused; its schedule goes on in 8 h.</h1>"));
    let pause = status(&world, &app).await.pause.unwrap();
    assert_eq!((pause.reason.as_str(), pause.actor.as_str()), ("move to linux", "ann"));
    let page = world.page(&format!("/apps{app}")).await;
    assert!(page.contains("Resume…") && page.contains("move to linux"), "{page}");
    place(&act(&world, "resume", &query, "reason=moved").await);
    assert_eq!(status(&world, &app).await.pause, None);
}

#[tokio::test]
async fn a_run_that_waits_is_cancelled_and_one_at_azure_is_not() {
    let world = World::of(SMALL).await;
    let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
    let at_azure = world.store.runs(&unfinished).await.unwrap().remove(0);
    let page = world.page(&format!("/runs/{}", at_azure.id)).await;
    assert!(!page.contains("Cancel…"), "{page}");
    let refused = act(&world, "cancel", &format!("run={}", at_azure.id), "reason=x").await;
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("is under way at Azure, which cannot stop it"), "{}", refused.body);
    let run = waiting(&world, &world.store.status().await.unwrap()[0].app.clone()).await;
    assert!(world.page(&format!("/runs/{run}")).await.contains("Cancel…"));
    let done = act(&world, "cancel", &format!("run={run}"), "reason=wrong+app").await;
    assert!(world.page(&place(&done)).await.contains("is cancelled.</h1>"));
    let page = world.page(&format!("/runs/{run}")).await;
    assert!(page.contains("cancelled by") && page.contains("wrong app"), "{page}");
    assert_eq!(act(&world, "cancel", &format!("run={run}"), "reason=x").await.status, 409);
}

#[tokio::test]
async fn a_backup_is_held_from_the_page_of_its_app_and_a_release_needs_an_admin() {
    let world = World::of(SMALL).await;
    let entry = world.store.catalog(&holdfast_store::CatalogFilter::default()).await.unwrap().remove(0);
    let query = format!("app={}&backup={}", entry.app.to_string().replace('/', "%2F"), entry.backup.id);
    place(&act(&world, "hold", &query, "reason=audit").await);
    let page = world.page(&format!("/apps{}", entry.app)).await;
    assert!(page.contains("hold: audit"), "{page}");
    assert_eq!(act(&world, "release", &query, "reason=done").await.status, 403);
}

#[tokio::test]
async fn the_api_acts_once_for_each_key_with_the_same_checks() {
    let world = World::of(SMALL).await;
    let run = lasting(&world).await;
    let post = async |path: String, body: Value, key: &str| {
        world.ask(&format!("POST /api/v1{path}"), &[JSON, ("Idempotency-Key", key)], &body.to_string()).await
    };
    let before = world.runs().await;
    for _ in 0..2 {
        let retried = post("/runs/retry".into(), json!({ "runs": [run.id] }), "1").await;
        assert_eq!(retried.status, 202, "{}", retried.body);
        assert!(retried.head.contains("operation-location: /api/v1/runs/"), "{}", retried.head);
    }
    assert_eq!(world.runs().await, before + 1);
    let count = failed(&world).await.len();
    let retried =
        post("/runs/retry".into(), json!({ "query": "outcome=failed", "count": count + 1 }), "2").await;
    assert_eq!(retried.status, 409, "{}", retried.body);
    let noted = post(format!("/runs/{}/acknowledge", run.id), json!({ "note": "known" }), "3").await;
    assert_eq!(noted.status, 200, "{}", noted.body);
    let answer: Value = serde_json::from_str(&noted.body).unwrap();
    assert_eq!((&answer["run"], &answer["app"]), (&json!(run.id), &json!(run.app)));
    let reused = post(format!("/runs/{}/cancel", run.id), json!({ "reason": "x" }), "3").await;
    assert_eq!(reused.status, 422, "{}", reused.body);
    let paused = post(format!("/apps{}/pause", run.app), json!({ "for": "2h", "reason": "x" }), "4").await;
    assert_eq!(
        (paused.status, status(&world, &run.app).await.pause.is_some()),
        (200, true),
        "{}",
        paused.body
    );
    let resumed = post(format!("/apps{}/resume", run.app), json!({ "reason": "x" }), "5").await;
    assert_eq!((resumed.status, status(&world, &run.app).await.pause), (200, None), "{}", resumed.body);
    let other = world.store.status().await.unwrap().into_iter().find(|status| status.running.is_none());
    let waiting = waiting(&world, &other.unwrap().app).await;
    let cancelled = post(format!("/runs/{waiting}/cancel"), json!({ "reason": "x" }), "6").await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    for (path, body, code) in [
        (format!("/runs/{}/cancel", run.id), json!({ "reason": "x" }), 409),
        (format!("/runs/{}/cancel", run.id), json!({ "why": "x" }), 400),
        ("/runs/7/cancel".to_owned(), json!({ "reason": "x" }), 400),
        ("/runs/retry".to_owned(), json!({}), 400),
        ("/runs/retry".to_owned(), json!({ "runs": ["7"] }), 400),
        (format!("/apps{}/explode", run.app), json!({ "reason": "x" }), 404),
        (format!("/apps{}/release", run.app), json!({ "reason": "x" }), 404),
        ("/apps/nobody/pause".to_owned(), json!({ "for": "2h", "reason": "x" }), 404),
        (format!("/apps{}/pause", run.app), json!({ "for": "2h", "reason": HOSTILE.repeat(9) }), 400),
    ] {
        let answer = post(path.clone(), body.clone(), &format!("{path}{body}")[..60.min(path.len())]).await;
        assert_eq!(answer.status, code, "{path} {body}: {}", answer.body);
        assert!(answer.head.contains("application/problem+json"), "{path}");
    }
}

#[tokio::test]
async fn a_forged_form_acts_on_nothing_and_hostile_reasons_are_inert() {
    let world = World::of(SMALL).await;
    let run = lasting(&world).await;
    let query = format!("run={}", run.id);
    assert_eq!(world.form("/acts/acknowledge", &format!("form=0&{query}&reason=x")).await.status, 403);
    assert_eq!(world.form("/acts/acknowledge", &format!("{query}&reason=x")).await.status, 403);
    let form = world.page(&format!("/acts/acknowledge/form?{query}")).await;
    let token = between(&form, "name=\"form\" value=\"", "\"").to_owned();
    let headers = [("Sec-Fetch-Site", "cross-site")];
    let body = format!("form={token}&{query}&reason=x");
    assert_eq!(world.ask("POST /acts/acknowledge", &headers, &body).await.status, 403);
    assert_eq!(status(&world, &run.app).await.acknowledged, None);
    let hostile = url::form_urlencoded::byte_serialize(format!("{HOSTILE}\0").as_bytes()).collect::<String>();
    place(&world.form("/acts/acknowledge", &format!("form={token}&{query}&reason={hostile}")).await);
    for path in [format!("/runs/{}", run.id), format!("/apps{}", run.app), "/audit".into(), "/".into()] {
        let body = world.page(&path).await;
        for acting in ["<img", "<script>", "\u{202e}", "\u{1b}", "\0"] {
            assert!(!body.contains(acting), "{path}: {acting:?}");
        }
    }
}
