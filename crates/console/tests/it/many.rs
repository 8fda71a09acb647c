//! Restores, drills and holds of many apps from pages and through the API.

use holdfast_access::Role;
use holdfast_console::Entry;
use holdfast_model::{AppId, RunKind};
use holdfast_store::{CatalogFilter, RunFilter};
use serde_json::{Value, json};

use crate::access::{ANY, ask};
use crate::actions::fields_of;
use crate::filled::{Filled, Filling};
use crate::world::{Answer, World, between};

const SMALL: Filling = Filling { apps: 40, days: 2, hostile: false };

/// A request of a route about many apps, with its body and the status of its answer. It starts nothing.
pub async fn sample(
    world: &World,
    token: &str,
    (method, path): (&str, &str),
    app: &str,
) -> (String, String, u16) {
    let (kind, to) =
        if path.contains("/drills") { ("/drills", "scratch") } else { ("/restores", "in_place") };
    let (to, body, status) = match (method, path) {
        ("GET", path) => (path.replace("{id}", "0"), String::new(), ANY),
        (_, path) if path.starts_with("/holds") => {
            let asked = format!("app={app}&reason=audit&confirm=77");
            if path.ends_with("preview") {
                return (path.to_owned(), asked, 200);
            }
            let shown = ask(world, token, "POST /holds/many/preview", &asked).await;
            let may = shown.status == 200;
            let form = if may { between(&shown.body, "name=\"form\" value=\"", "\"") } else { "none" };
            (path.to_owned(), format!("form={form}&{asked}"), 400)
        }
        (_, path) if path.contains("/holds") => {
            let release = path.ends_with("release");
            let holds = json!({ "select": { "names": [app] }, "release": release });
            let body = json!({ "holds": holds, "reason": "audit", "confirm": 7 });
            (path.to_owned(), body.to_string(), if release { ANY } else { 400 })
        }
        (_, path) if path.starts_with("/api/") && path.ends_with("plan") => {
            let body = json!({ "select": { "names": [app] }, "to": to, "overwrite": true });
            (path.to_owned(), body.to_string(), 202)
        }
        (_, path) if path.starts_with("/api/") => {
            (path.to_owned(), json!({ "plan": "0", "confirm": 1 }).to_string(), 404)
        }
        (_, path) if path.ends_with("form") => (path.to_owned(), format!("app={app}"), 200),
        (_, path) if path.ends_with("plan") => (path.to_owned(), format!("app={app}&target=same"), 303),
        (_, path) => {
            let begun =
                ask(world, token, &format!("POST {kind}/many/plan"), &format!("app={app}&target=same")).await;
            let body = if begun.status == 303 {
                let plan = made(world, token, &place(&begun)).await;
                format!("confirm=77&{}", fields_of(&plan, "/many\">"))
            } else {
                "confirm=77&form=none".to_owned()
            };
            (path.to_owned(), body, 400)
        }
    };
    (to, body, status)
}

fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    between(&answer.head, "location: ", "\r\n").to_owned()
}

/// The plan at a path, once it is made.
async fn made(world: &World, token: &str, path: &str) -> Answer {
    loop {
        let answer = ask(world, token, &format!("GET {path}"), "").await;
        if !(answer.status == 202 || answer.head.contains("refresh: 1\r\n")) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

/// The sources and the targets of the runs of a kind.
async fn runs(world: &World, kind: RunKind) -> Vec<(AppId, AppId)> {
    let found = world.store.runs(&RunFilter { kind: Some(kind), ..RunFilter::default() }).await.unwrap();
    let both = |run: holdfast_model::Run| (run.task.restore().unwrap().source.clone(), run.app);
    found.into_iter().map(both).collect()
}

/// Apps with a good backup, and one without any.
async fn apps(world: &World, most: usize) -> (Vec<AppId>, AppId) {
    let all = world.store.catalog(&CatalogFilter::default()).await.unwrap();
    let mut apps: Vec<AppId> =
        all.iter().map(|entry| entry.app.clone()).filter(|app| app.slot().is_none()).collect();
    apps.dedup();
    apps.truncate(most);
    let statuses = world.store.status().await.unwrap();
    let without =
        statuses.into_iter().find(|status| !all.iter().any(|entry| entry.app == status.app)).unwrap();
    (apps, without.app)
}

fn selection(apps: &[AppId]) -> String {
    apps.iter().flat_map(|app| ["&app=".to_owned(), app.to_string()]).collect()
}

#[tokio::test]
async fn selected_apps_are_restored_by_one_plan_that_is_confirmed_by_its_number_and_starts_once() {
    let (world, _clock) = World::with_login(SMALL).await;
    let token = world.token("ann", Role::Restorer, &[]).await;
    let (mut selected, without) = apps(&world, 3).await;
    selected.push(without.clone());
    let asked = format!("scope=some{}", selection(&selected));
    let form = ask(&world, &token, "POST /restores/many/form", &asked).await;
    assert!(form.body.contains("<h1>Restore 4 apps</h1>"), "{}", form.body);
    let fields = fields_of(&form, "/restores/many/plan\">");
    let begun =
        ask(&world, &token, "POST /restores/many/plan", &format!("target=slot&name=staging{fields}")).await;
    let plan = made(&world, &token, &place(&begun)).await;
    assert!(plan.body.contains("<h1>Everything in 3 apps will be replaced.</h1>"), "{}", plan.body);
    assert!(
        plan.body.contains("managed identity") && plan.body.contains("Left out<small>1"),
        "{}",
        plan.body
    );
    assert!(
        plan.body.contains(&without.short_name()) && plan.body.contains("no such backup"),
        "{}",
        plan.body
    );
    let body = |number: &str| format!("confirm={number}{}", fields_of(&plan, "/restores/many\">"));
    for wrong in ["4", "three"] {
        assert_eq!(ask(&world, &token, "POST /restores/many", &body(wrong)).await.status, 400);
    }
    let clicks = [
        ask(&world, &token, "POST /restores/many", &body("3")).await,
        ask(&world, &token, "POST /restores/many", &body("3")).await,
    ];
    assert_eq!(place(&clicks[0]), place(&clicks[1]), "a double click");
    let result = ask(&world, &token, &format!("GET {}", place(&clicks[0])), "").await.body;
    assert!(
        result.contains("<h1>3 restores start now.</h1>") && result.contains("Watch the runs"),
        "{result}"
    );
    let mut started = runs(&world, RunKind::Restore).await;
    started.sort();
    assert_eq!(
        started.iter().map(|(source, _)| source).collect::<Vec<_>>(),
        selected[..3].iter().collect::<Vec<_>>()
    );
    assert!(
        started
            .iter()
            .all(|(source, target)| target.site() == source.site() && target.slot() == Some("staging"))
    );
    let again = ask(&world, &token, &format!("GET {}", place(&begun)), "").await;
    let second = format!("confirm=3{}", fields_of(&again, "/restores/many\">"));
    let second = place(&ask(&world, &token, "POST /restores/many", &second).await);
    let second = ask(&world, &token, &format!("GET {second}"), "").await.body;
    assert!(
        second.contains("<h1>3 restores start now.</h1>"),
        "a plan starts once, and says so again: {second}"
    );
    assert_eq!(runs(&world, RunKind::Restore).await.len(), 3);
    for (path, asked, status) in [
        ("form", "scope=some".to_owned(), 400),
        ("plan", format!("target=slot{}", selection(&selected)), 400),
        ("plan", format!("target=same&at=yesterday{}", selection(&selected)), 400),
    ] {
        let answer = ask(&world, &token, &format!("POST /restores/many/{path}"), &asked).await;
        assert_eq!(answer.status, status, "{asked}");
    }
}

#[tokio::test]
async fn all_that_match_are_drilled_and_nobody_else_sees_the_plan() {
    let (world, _clock) = World::with_login(SMALL).await;
    let [ann, bob] =
        [world.token("ann", Role::Operator, &[]).await, world.token("bob", Role::Admin, &[]).await];
    let begun = ask(&world, &ann, "POST /drills/many/plan", "scope=all&query=policy%3Dgold").await;
    let plan = made(&world, &ann, &place(&begun)).await;
    let number = between(&plan.body, "Type <b>", "</b>").to_owned();
    assert!(
        plan.body.contains(&format!("{number} drills will replace everything in 1 app.")),
        "{}",
        plan.body
    );
    let path = place(&begun);
    assert_eq!(ask(&world, &bob, &format!("GET {path}"), "").await.status, 404, "a plan of another person");
    let restore = path.replace("/drills", "/restores");
    assert_eq!(ask(&world, &bob, &format!("GET {restore}"), "").await.status, 404);
    let done = ask(
        &world,
        &ann,
        "POST /drills/many",
        &format!("confirm={number}{}", fields_of(&plan, "/drills/many\">")),
    )
    .await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(runs(&world, RunKind::Drill).await.len().to_string(), number);
}

#[tokio::test]
async fn the_api_plans_and_starts_restores_of_many_apps_once_within_the_scope_of_the_caller() {
    let (world, _clock) = World::with_login(SMALL).await;
    let ann = world.token("ann", Role::Restorer, &[]).await;
    let limited = world.token("limited", Role::Restorer, &["nothing"]).await;
    let (selected, _) = apps(&world, 2).await;
    let asked = json!({ "select": { "names": selected }, "to": { "slot": "staging" }, "overwrite": true });
    let begun = async |token: &str| {
        let answer = ask(&world, token, "POST /api/v1/restores/many/plan", &asked.to_string()).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        between(&answer.head, "operation-location: ", "\r\n").to_owned()
    };
    let outside = made(&world, &limited, &begun(&limited).await).await;
    assert_eq!(outside.status, 403, "{}", outside.body);
    let path = begun(&ann).await;
    let plan: Value = serde_json::from_str(&made(&world, &ann, &path).await.body).unwrap();
    assert_eq!((&plan["selected"], plan["starts"].as_array().unwrap().len()), (&json!(2), 2));
    let id = path.rsplit('/').next().unwrap();
    let start = async |confirm: usize| {
        let body = json!({ "plan": id, "confirm": confirm }).to_string();
        ask(&world, &ann, "POST /api/v1/restores/many", &body).await
    };
    assert_eq!(start(7).await.status, 400);
    let (one, other) = tokio::join!(start(2), start(2));
    assert_eq!((one.status, other.status, runs(&world, RunKind::Restore).await.len()), (202, 202, 2));
    assert_eq!(one.body, other.body, "a plan starts once, and has one answer");
    let wrong = json!({ "select": {}, "to": "scratch" }).to_string();
    assert_eq!(ask(&world, &ann, "POST /api/v1/restores/many/plan", &wrong).await.status, 400);
}

#[tokio::test]
async fn a_plan_of_one_process_is_read_and_started_at_another() {
    let filled = Filled::new(SMALL).await;
    let entry = || Entry { requires_login: true, ..Entry::default() };
    let [one, other] = [World::of_filled(&filled, entry()).await, World::of_filled(&filled, entry()).await];
    let ann = one.token("ann", Role::Restorer, &[]).await;
    let (selected, _) = apps(&one, 2).await;
    let asked = json!({ "select": { "names": selected }, "to": { "slot": "staging" }, "overwrite": true });
    let begun = ask(&one, &ann, "POST /api/v1/restores/many/plan", &asked.to_string()).await;
    let path = between(&begun.head, "operation-location: ", "\r\n").to_owned();
    let plan = made(&other, &ann, &path).await;
    assert_eq!((plan.status, &plan.body), (200, &made(&one, &ann, &path).await.body));
    let body = json!({ "plan": path.rsplit('/').next(), "confirm": 2 }).to_string();
    let starts = async |world: &World| ask(world, &ann, "POST /api/v1/restores/many", &body).await;
    let (first, second) = (starts(&other).await, starts(&one).await);
    assert_eq!((first.status, second.status, &first.body), (202, 202, &second.body), "{}", first.body);
    assert_eq!(runs(&one, RunKind::Restore).await.len(), 2);
}

#[tokio::test]
async fn one_request_and_one_confirmation_of_a_second_person_are_for_the_whole_set() {
    let (world, _clock) = World::with_four_eyes(SMALL).await;
    let [ann, bob] =
        [world.token("ann", Role::Restorer, &[]).await, world.token("bob", Role::Restorer, &[]).await];
    let (selected, _) = apps(&world, 3).await;
    let begun =
        ask(&world, &ann, "POST /restores/many/plan", &format!("target=same{}", selection(&selected))).await;
    let plan = made(&world, &ann, &place(&begun)).await;
    assert!(plan.body.contains("Ask a second person"), "{}", plan.body);
    let body = format!("confirm=3&reason=ransom{}", fields_of(&plan, "/restores/many\">"));
    let result = place(&ask(&world, &ann, "POST /restores/many", &body).await);
    let result = ask(&world, &ann, &format!("GET {result}"), "").await.body;
    assert!(result.contains("A second person must confirm the restore over 3 apps."), "{result}");
    assert_eq!(runs(&world, RunKind::Restore).await.len(), 0);
    let request = format!("/approvals/{}", between(&result, "href=\"/approvals/", "\""));
    let shown = ask(&world, &bob, &format!("GET {request}"), "").await.body;
    for app in &selected {
        assert!(shown.contains(&app.short_name()) && shown.contains(&format!("into: {app}")), "{shown}");
    }
    let own = ask(&world, &ann, &format!("POST /api/v1{request}/confirm"), "{}").await;
    assert_eq!(own.status, 422, "{}", own.body);
    let confirmed = ask(&world, &bob, &format!("POST /api/v1{request}/confirm"), "{}").await;
    assert_eq!(
        (confirmed.status, runs(&world, RunKind::Restore).await.len()),
        (200, 3),
        "{}",
        confirmed.body
    );
}

#[tokio::test]
async fn the_newest_backups_of_apps_are_held_and_released_together() {
    let (world, _clock) = World::with_login(SMALL).await;
    let [operator, admin] =
        [world.token("op", Role::Operator, &[]).await, world.token("boss", Role::Admin, &[]).await];
    let (mut selected, without) = apps(&world, 3).await;
    selected.push(without);
    let holds = json!({ "select": { "names": selected } });
    let plan = ask(&world, &operator, "POST /api/v1/holds/plan", &holds.to_string()).await;
    let plan: Value = serde_json::from_str(&plan.body).unwrap();
    let count = plan["backups"].as_array().unwrap().len();
    assert_eq!(count + plan["left_out"].as_array().unwrap().len(), 4);
    let held = async || {
        let all = world.store.catalog(&CatalogFilter::default()).await.unwrap();
        all.into_iter().filter(|entry| entry.hold.as_deref() == Some("lawsuit")).count()
    };
    let body =
        |confirm: usize| json!({ "holds": holds, "reason": "lawsuit", "confirm": confirm }).to_string();
    assert_eq!(ask(&world, &operator, "POST /api/v1/holds/many", &body(count + 1)).await.status, 400);
    let done = ask(&world, &operator, "POST /api/v1/holds/many", &body(count)).await;
    assert_eq!((done.status, held().await), (200, count), "{}", done.body);
    let release = json!({ "select": { "names": selected }, "release": true });
    let release = json!({ "holds": release, "reason": "settled", "confirm": count }).to_string();
    assert_eq!(ask(&world, &operator, "POST /api/v1/holds/many/release", &release).await.status, 403);
    let done = ask(&world, &admin, "POST /api/v1/holds/many/release", &release).await;
    assert_eq!((done.status, held().await), (200, 0), "{}", done.body);
}

#[tokio::test]
async fn a_page_holds_the_backups_of_selected_apps_and_releases_them_for_an_admin_alone() {
    let (world, _clock) = World::with_login(SMALL).await;
    let [operator, admin] =
        [world.token("op", Role::Operator, &[]).await, world.token("boss", Role::Admin, &[]).await];
    let (mut selected, without) = apps(&world, 3).await;
    selected.push(without.clone());
    let asked = format!("scope=some{}", selection(&selected));
    let shown = ask(&world, &operator, "POST /holds/many/preview", &asked).await;
    assert!(shown.body.contains("<h1>Hold 3 backups?</h1>"), "{}", shown.body);
    assert!(shown.body.contains(&without.short_name()) && shown.body.contains("Left out<small>1"));
    let early = format!("{asked}&at=2001-01-01T00:00:00Z");
    let early = ask(&world, &operator, "POST /holds/many/preview", &early).await;
    assert!(
        early.body.contains("There is nothing to do.") && early.body.contains("value=\"2001-"),
        "{}",
        early.body
    );
    let unread = ask(&world, &operator, "POST /holds/many/preview", &format!("{asked}&at=then")).await;
    assert_eq!(unread.status, 400);
    let body = |shown: &Answer, path: &str, number: &str| {
        format!("reason=lawsuit&confirm={number}{}", fields_of(shown, &format!("{path}\">")))
    };
    let wrong = ask(&world, &operator, "POST /holds/many", &body(&shown, "/holds/many", "4")).await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    let [one, again] = [
        ask(&world, &operator, "POST /holds/many", &body(&shown, "/holds/many", "3")).await,
        ask(&world, &operator, "POST /holds/many", &body(&shown, "/holds/many", "3")).await,
    ];
    assert_eq!(place(&one), place(&again), "a double click");
    let result = ask(&world, &operator, &format!("GET {}", place(&one)), "").await.body;
    assert!(result.contains("<h1>3 backups are held.</h1>"), "{result}");
    let refused = ask(&world, &operator, "POST /holds/many/release/preview", &asked).await;
    assert_eq!(refused.status, 403);
    let shown = ask(&world, &admin, "POST /holds/many/release/preview", &asked).await;
    assert!(
        shown.body.contains("<h1>Release 3 backups?</h1>") && shown.body.contains("lawsuit"),
        "{}",
        shown.body
    );
    let body = body(&shown, "/holds/many/release", "3");
    let result = place(&ask(&world, &admin, "POST /holds/many/release", &body).await);
    let result = ask(&world, &admin, &format!("GET {result}"), "").await.body;
    assert!(result.contains("<h1>3 backups are released.</h1>"), "{result}");
}
