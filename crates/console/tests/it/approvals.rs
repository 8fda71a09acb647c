//! Restores that a second person confirms.

use std::time::Duration;

use holdfast_access::Role;
use holdfast_model::{Actor, AppId, CatalogEntry, Run, RunId, RunKind};
use holdfast_store::{Approval, ApprovalKind, CatalogFilter, RunFilter};
use serde_json::{Value, json};

use crate::access::{ANY, ask};
use crate::actions::fields_of;
use crate::filled::Filling;
use crate::world::{Answer, World, between};

const SMALL: Filling = Filling { apps: 40, days: 2, hostile: false };

/// A request that waits, put into the store.
pub async fn waiting(world: &World) -> RunId {
    let now = world.store.now().await.unwrap();
    let rng = &mut fastrand::Rng::with_seed(7);
    let (id, app) = (RunId::new(now, rng), AppId::new("s", "g", "shop", None));
    let approval = Approval {
        id,
        kind: ApprovalKind::Restore,
        app: app.clone(),
        request: "{}".into(),
        effect: Vec::new(),
        reason: String::new(),
        asked_by: Actor::from("<ann>"),
        makers: Vec::new(),
        asked_at: now,
        expires_at: now + Duration::from_hours(1),
        decision: None,
    };
    let action = holdfast_model::OperatorAction::LoggedIn;
    let record = holdfast_control::operator_actions::about_app(&app, (action, "ann".into()), now, rng);
    world.store.ask_approval(&approval, &record).await.unwrap();
    id
}

/// A request of a route of requests to a second person, with its body and the status of its answer. It decides nothing.
pub async fn sample(
    world: &World,
    token: &str,
    (method, path): (&str, &str),
    id: &str,
) -> (String, String, u16) {
    let to = path.replace("{id}", id);
    let body = if method == "POST" && !path.starts_with("/api/") {
        let page = ask(world, token, &format!("GET /approvals/{id}"), "").await.body;
        let is_permitted = page.contains("name=\"form\" value=\"");
        format!("form={}", if is_permitted { between(&page, "name=\"form\" value=\"", "\"") } else { "none" })
    } else {
        "{}".to_owned()
    };
    (to, body, if method == "GET" { 200 } else { ANY })
}

async fn point(world: &World) -> CatalogEntry {
    let all = world.store.catalog(&CatalogFilter::default()).await.unwrap();
    all.into_iter().find(|entry| entry.good && entry.app.slot().is_none()).unwrap()
}

async fn restores(world: &World) -> Vec<Run> {
    let filter = RunFilter { kind: Some(RunKind::Restore), ..RunFilter::default() };
    world.store.runs(&filter).await.unwrap()
}

fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    between(&answer.head, "location: ", "\r\n").to_owned()
}

fn document(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}", answer.body))
}

/// Asks through the API for a restore over the app itself, and returns the path of the request.
async fn asked(world: &World, token: &str, entry: &CatalogEntry) -> String {
    let name = entry.app.short_name();
    let body = json!({
        "app": entry.app, "backup": entry.backup.id, "overwrite": true, "confirm": name, "reason": "lost orders"
    });
    let answer = ask(world, token, "POST /api/v1/restores", &body.to_string()).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert!(document(&answer)["sentence"].as_str().unwrap().starts_with("A second person must confirm"));
    between(&answer.head, "operation-location: ", "\r\n").to_owned()
}

#[tokio::test]
async fn one_asks_on_a_page_and_another_confirms_and_the_restore_starts_once() {
    let (world, _clock) = World::with_four_eyes(SMALL).await;
    let [ann, bob, viewer] = [
        world.token("ann", Role::Restorer, &[]).await,
        world.token("bob", Role::Restorer, &[]).await,
        world.token("eve", Role::Viewer, &[]).await,
    ];
    let entry = point(&world).await;
    let (app, name) = (entry.app.to_string(), entry.app.short_name());
    let wanted = format!("app={app}&backup={}", entry.backup.id);
    let plan = ask(&world, &ann, "POST /restores/preview", &wanted).await;
    assert!(plan.body.contains("Ask a second person"), "{}", plan.body);
    let body = format!("reason=lost+orders&confirm={name}&{}", fields_of(&plan, "action=\"/restores\">"));
    let result = place(&ask(&world, &ann, "POST /restores", &body).await);
    let result = ask(&world, &ann, &format!("GET {result}"), "").await.body;
    assert!(result.contains(&format!("A second person must confirm the restore over {name}.")), "{result}");
    assert_eq!(restores(&world).await.len(), 0);
    let page = format!("/approvals/{}", between(&result, "href=\"/approvals/", "\""));
    let overview = ask(&world, &viewer, "GET /", "").await.body;
    assert!(overview.contains("Waits for a second person") && overview.contains(&page), "{overview}");
    let own = ask(&world, &ann, &format!("GET {page}"), "").await.body;
    assert!(own.contains("Withdraw") && !own.contains(">Confirm<"), "{own}");
    assert!(own.contains("lost orders") && own.contains(&entry.backup.blob), "{own}");
    let seen = ask(&world, &viewer, &format!("GET {page}"), "").await.body;
    assert!(!seen.contains("<form class=\"confirm\""), "{seen}");
    let shown = ask(&world, &bob, &format!("GET {page}"), "").await;
    let form = format!("form={}", between(&shown.body, "name=\"form\" value=\"", "\""));
    let confirm = format!("POST {page}/confirm");
    let places =
        [place(&ask(&world, &bob, &confirm, &form).await), place(&ask(&world, &bob, &confirm, &form).await)];
    assert_eq!(places[0], places[1], "a double click");
    let started = restores(&world).await;
    assert_eq!(started.len(), 1);
    let events = world.store.events(started[0].id).await.unwrap();
    assert!(format!("{events:?}").contains("name: \"ann\""), "the run is of the person who asked");
    let decided = ask(&world, &viewer, &format!("GET {page}"), "").await.body;
    assert!(decided.contains("confirmed") && decided.contains("bob, by token"), "{decided}");
    let audit = world.audit().await;
    for word in ["ApprovalAsked", "ApprovalConfirmed"] {
        assert_eq!(audit.matches(word).count(), 1, "{word}");
    }
}

#[tokio::test]
async fn nobody_confirms_an_own_request_whatever_the_token_and_nobody_twice() {
    let (world, _clock) = World::with_four_eyes(SMALL).await;
    let [ann, bob] =
        [world.token("ann", Role::Admin, &[]).await, world.token("bob", Role::Restorer, &[]).await];
    let made = json!({ "name": "ann-ci", "role": "restorer" }).to_string();
    let made = document(&ask(&world, &ann, "POST /api/v1/tokens", &made).await);
    let (ci, entry) = (made["token"].as_str().unwrap(), point(&world).await);
    let request = asked(&world, &ann, &entry).await;
    assert_eq!(asked(&world, &ann, &entry).await, request, "the same waits once");
    let confirm = format!("POST {request}/confirm");
    for token in [&ann, ci] {
        let refused = ask(&world, token, &confirm, "{}").await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body.contains("needs a second person"), "{}", refused.body);
    }
    assert_eq!(restores(&world).await.len(), 0);
    let both = tokio::join!(ask(&world, &bob, &confirm, "{}"), ask(&world, &bob, &confirm, "{}"));
    let mut status = [both.0.status, both.1.status];
    status.sort_unstable();
    assert_eq!((status, restores(&world).await.len()), ([200, 409], 1));
}

#[tokio::test]
async fn a_request_is_declined_withdrawn_or_expires_and_then_starts_nothing() {
    let (world, clock) = World::with_four_eyes(SMALL).await;
    let [ann, bob, operator, limited] = [
        world.token("ann", Role::Restorer, &[]).await,
        world.token("bob", Role::Restorer, &[]).await,
        world.token("op", Role::Operator, &[]).await,
        world.token("other", Role::Restorer, &["nothing"]).await,
    ];
    let entry = point(&world).await;
    let request = asked(&world, &ann, &entry).await;
    for token in [&operator, &limited] {
        assert_eq!(ask(&world, token, &format!("POST {request}/confirm"), "{}").await.status, 403);
    }
    assert_eq!(ask(&world, &bob, &format!("POST {request}/withdraw"), "{}").await.status, 422, "not theirs");
    assert_eq!(ask(&world, &bob, &format!("POST {request}/decline"), "{}").await.status, 400, "no reason");
    let why = json!({ "reason": "use the backup of Monday" }).to_string();
    assert_eq!(ask(&world, &bob, &format!("POST {request}/decline"), &why).await.status, 200);
    assert_eq!(ask(&world, &bob, &format!("POST {request}/confirm"), "{}").await.status, 409);
    clock.advance(Duration::from_secs(1));
    let second = asked(&world, &ann, &entry).await;
    assert_ne!(second, request);
    assert_eq!(ask(&world, &ann, &format!("POST {second}/withdraw"), "{}").await.status, 200);
    clock.advance(Duration::from_secs(1));
    let third = asked(&world, &ann, &entry).await;
    clock.advance(Duration::from_hours(24));
    let expired = ask(&world, &bob, &format!("POST {third}/confirm"), "{}").await;
    assert_eq!((expired.status, restores(&world).await.len()), (409, 0), "{}", expired.body);
    let listed = document(&ask(&world, &operator, "GET /api/v1/approvals", "").await);
    let states: Vec<&str> =
        listed["value"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["expired", "withdrawn", "declined"]);
    assert_eq!(document(&ask(&world, &operator, &format!("GET {third}"), "").await)["state"], "expired");
}

#[tokio::test]
async fn a_request_whose_plan_would_do_something_else_starts_nothing() {
    let (world, _clock) = World::with_four_eyes(SMALL).await;
    let bob = world.token("bob", Role::Restorer, &[]).await;
    let (now, rng) = (world.store.now().await.unwrap(), &mut fastrand::Rng::with_seed(3));
    let entry = point(&world).await;
    let request = asked(&world, &world.token("ann", Role::Restorer, &[]).await, &entry).await;
    let id: RunId = request.rsplit('/').next().unwrap().parse().unwrap();
    // The same request, asked when another blob was planned.
    let mut other = world.store.approval(id).await.unwrap().unwrap();
    other.id = RunId::new(now, rng);
    other.effect[1].1 = "another.zip in https://bkpweu01/backups".into();
    let action = holdfast_model::OperatorAction::LoggedIn;
    let record = holdfast_control::operator_actions::about_app(&other.app, (action, "ann".into()), now, rng);
    world.store.ask_approval(&other, &record).await.unwrap();
    let refused = ask(&world, &bob, &format!("POST /api/v1/approvals/{}/confirm", other.id), "{}").await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("blob is now: ") && refused.body.contains("ask again"), "{}", refused.body);
    assert_eq!(restores(&world).await.len(), 0);
}

#[tokio::test]
async fn a_drill_needs_no_second_person() {
    let (world, _clock) = World::with_four_eyes(SMALL).await;
    let ann = world.token("ann", Role::Restorer, &[]).await;
    let entry = point(&world).await;
    let body = json!({ "app": entry.app, "confirm": "scratch" }).to_string();
    let drill = ask(&world, &ann, "POST /api/v1/drills", &body).await;
    assert!(drill.head.contains("operation-location: /api/v1/runs/"), "{}{}", drill.head, drill.body);
}
