//! Logins, and what is refused.

use std::time::Duration;

use holdfast_access::Role;
use holdfast_model::{OperatorAction, RunEvent};
use serde_json::{Value, json};

use crate::actions::confirmation;
use crate::filled::Filling;
use crate::world::{Answer, World, between};

/// The status of a request that gets through and may fail for what it names.
pub const ANY: u16 = 0;

pub const SMALL: Filling = Filling { apps: 40, days: 1, hostile: false };
pub const JSON: (&str, &str) = ("Content-Type", "application/json");
pub const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A request of a program with a token.
pub async fn ask(world: &World, token: &str, request: &str, body: &str) -> Answer {
    let kind = if request.contains("/api/") { JSON } else { FORM };
    world.ask(request, &[kind, ("Authorization", &bearer(token))], body).await
}

#[tokio::test]
async fn a_person_logs_in_with_a_token_is_named_on_each_page_and_logs_out() {
    let (world, clock) = World::with_login(SMALL).await;
    let token = world.token("ann", Role::Operator, &[]).await;
    let asked = world.get("/fleet?sort=name").await;
    assert_eq!(asked.status, 401);
    assert!(asked.body.contains("name=\"next\" value=\"/fleet?sort=name\""), "{}", asked.body);
    assert!(!asked.body.contains("checkout") && !asked.body.contains("Local mode"), "{}", asked.body);
    let wrong = world.form("/login", &format!("token={}0", &token[..74])).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("The token is not known."), "{}", wrong.body);
    let answer = world.form("/login", &format!("token={token}&next=%2Ffleet%3Fsort%3Dname")).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(answer.head.contains("location: /fleet?sort=name\r\n"), "{}", answer.head);
    assert!(answer.head.contains("; httponly; samesite=lax"), "{}", answer.head);
    let cookie = between(&answer.head, "set-cookie: ", ";").to_owned();
    let page = world.ask("GET /fleet", &[("Cookie", &cookie)], "").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("ann (operator, by token)"), "{}", page.body);
    assert!(!page.body.contains(&token) && page.body.contains("Back up selected"));
    let own = [FORM, ("Sec-Fetch-Site", "same-origin"), ("Origin", "null"), ("Cookie", &cookie)];
    assert_eq!(world.ask("POST /logout", &own, "session=0").await.status, 403, "another session's form");
    let body = format!("session={}", between(&page.body, "name=\"session\" value=\"", "\""));
    let cross = [FORM, ("Sec-Fetch-Site", "cross-site"), ("Cookie", &cookie)];
    assert_eq!(world.ask("POST /logout", &cross, &body).await.status, 403);
    assert_eq!(world.ask("POST /logout", &own, &body).await.status, 303);
    assert_eq!(world.ask("GET /fleet", &[("Cookie", &cookie)], "").await.status, 401);
    clock.advance(Duration::from_secs(1));
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let (world, clock) = World::with_login(Filling { apps: 1, days: 0, hostile: false }).await;
    let (token, admin) =
        (world.token("ann", Role::Viewer, &[]).await, world.token("boss", Role::Admin, &[]).await);
    let answer = world.form("/login", &format!("token={token}&next=//evil.example")).await;
    assert!(answer.head.contains("location: /\r\n"), "{}", answer.head);
    let cookie = between(&answer.head, "set-cookie: ", ";").to_owned();
    assert_eq!(world.ask("GET /", &[("Cookie", &cookie)], "").await.status, 200);
    assert_eq!(ask(&world, &admin, "DELETE /api/v1/tokens/ann", "").await.status, 200);
    assert_eq!(ask(&world, &token, "GET /api/v1/whoami", "").await.status, 401);
    clock.advance(Duration::from_secs(5));
    assert_eq!(world.ask("GET /", &[("Cookie", &cookie)], "").await.status, 401);
}

#[tokio::test]
async fn what_is_no_login_is_refused_and_a_forged_header_of_a_proxy_is_none() {
    let (world, _clock) = World::with_login(Filling { apps: 1, days: 0, hostile: false }).await;
    let token = world.token("ann", Role::Admin, &[]).await;
    let basic = "Basic YWRtaW46YWRtaW4=";
    for headers in [
        vec![],
        vec![("Authorization", basic)],
        vec![("Authorization", &*token)],
        vec![("Authorization", "Bearer")],
        vec![("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")],
        vec![("Authorization", &bearer(&token)), ("Authorization", &bearer(&token))],
        vec![("X-MS-CLIENT-PRINCIPAL", "eyJjbGFpbXMiOltdfQ=="), ("X-MS-CLIENT-PRINCIPAL-NAME", "ann")],
        vec![("Cookie", "holdfast=0")],
        vec![("Cookie", "__Host-holdfast=0")],
    ] {
        let answer = world.ask("GET /api/v1/apps", &headers, "").await;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
        assert!(!answer.body.contains(&token[..20]), "{}", answer.body);
    }
    let forwarded = [("Authorization", &*bearer(&token)), ("X-Forwarded-For", "10.0.0.4")];
    assert_eq!(world.ask("GET /api/v1/apps", &forwarded, "").await.status, 403);
}

#[tokio::test]
async fn failed_logins_are_limited_and_a_token_in_use_goes_on() {
    let (world, clock) = World::with_login(Filling { apps: 1, days: 0, hostile: false }).await;
    let token = world.token("ann", Role::Viewer, &[]).await;
    assert_eq!(ask(&world, &token, "GET /api/v1/whoami", "").await.status, 200);
    let late = world.token("late", Role::Viewer, &[]).await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(ask(&world, "hf_0", "GET /api/v1/whoami", "").await.status);
    }
    assert_eq!(statuses, [[401; 10].as_slice(), &[429; 2]].concat());
    let blocked = world.form("/login", &format!("token={late}")).await;
    assert_eq!(blocked.status, 429, "{}", blocked.body);
    assert_eq!(ask(&world, &token, "GET /api/v1/whoami", "").await.status, 200);
    clock.advance(Duration::from_mins(1));
    assert_eq!(ask(&world, &late, "GET /api/v1/whoami", "").await.status, 200);
    assert_eq!(refusals(&world).await.len(), 1, "one record of the client in ten minutes");
}

/// What the audit has of refusals: who, from where, what, why.
pub async fn refusals(world: &World) -> Vec<[String; 4]> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let of = |event| match event {
        RunEvent::ActionRecorded { action: OperatorAction::AccessRefused { what, reason, .. }, actor } => {
            Some([actor.name.clone(), text(&actor.address), what, reason])
        }
        _ => None,
    };
    world.store.audit(0, 10_000).await.unwrap().into_iter().filter_map(|event| of(event.event)).collect()
}

#[tokio::test]
async fn an_act_and_a_refusal_are_in_the_audit_with_who_from_where_and_through_what() {
    let (world, _clock) = World::with_login(SMALL).await;
    let (ann, bob) =
        (world.token("ann", Role::Operator, &[]).await, world.token("bob", Role::Viewer, &[]).await);
    let body = json!({ "query": "condition=good&sort=name", "count": 1_000 }).to_string();
    assert_eq!(ask(&world, &bob, "POST /api/v1/backups", &body).await.status, 403);
    let expected = ["bob", "127.0.0.1", "POST /api/v1/backups", "not_permitted"].map(str::to_owned);
    assert_eq!(refusals(&world).await, [expected]);
    let apps: Value =
        serde_json::from_str(&ask(&world, &ann, "GET /api/v1/apps?condition=good", "").await.body).unwrap();
    let body = json!({ "apps": [apps["value"][0]["app"]] }).to_string();
    assert_eq!(ask(&world, &ann, "POST /api/v1/backups", &body).await.status, 202);
    let events = world.store.audit(0, 10_000).await.unwrap();
    let RunEvent::Planned { actor: Some(actor), .. } = &events.last().unwrap().event else { panic!() };
    assert_eq!(actor.to_string(), "claimed \"ann\" (login token through api from 127.0.0.1)");
    let who: Value = serde_json::from_str(&ask(&world, &bob, "GET /api/v1/whoami", "").await.body).unwrap();
    assert_eq!(
        who,
        json!({ "name": "bob", "login": "token", "role": "viewer", "policies": null, "permissions": ["view"], "expires_at": who["expires_at"] })
    );
    assert!(who["expires_at"].is_string(), "{who}");
}

#[tokio::test]
async fn a_token_limited_to_policies_acts_on_their_apps_alone() {
    let (world, _clock) = World::with_login(SMALL).await;
    let (gold, all) =
        (world.token("gold", Role::Admin, &["gold"]).await, world.token("all", Role::Viewer, &[]).await);
    let before = world.runs().await;
    let apps = async |query: &str| {
        let answer = ask(&world, &all, &format!("GET /api/v1/apps?{query}"), "").await;
        serde_json::from_str::<Value>(&answer.body).unwrap()
    };
    let (own, others) =
        (apps("condition=good&policy=gold").await, apps("condition=good&policy=silver").await);
    let app = |list: &Value| list["value"][0]["app"].clone();
    for body in [
        json!({ "apps": [app(&others)] }),
        json!({ "apps": [app(&own), app(&others)] }),
        json!({ "query": "condition=good", "count": apps("condition=good").await["count"] }),
    ] {
        let answer = ask(&world, &gold, "POST /api/v1/backups", &body.to_string()).await;
        assert_eq!(answer.status, 403, "{body}: {}", answer.body);
        assert!(answer.body.contains("\"code\":\"out_of_scope\""), "{}", answer.body);
    }
    let form = format!("app={}", app(&others).as_str().unwrap());
    assert_eq!(ask(&world, &gold, "POST /backups/preview", &form).await.status, 403);
    let token = json!({ "name": "more", "role": "viewer" }).to_string();
    assert_eq!(ask(&world, &gold, "POST /api/v1/tokens", &token).await.status, 403);
    assert_eq!(world.runs().await, before);
    let body = json!({ "apps": [app(&own)] }).to_string();
    assert_eq!(ask(&world, &gold, "POST /api/v1/backups", &body).await.status, 202);
    assert_eq!(world.runs().await, before + 1);
}

#[tokio::test]
async fn a_form_of_another_login_starts_nothing() {
    let (world, _clock) = World::with_login(SMALL).await;
    let (ann, bob) =
        (world.token("ann", Role::Operator, &[]).await, world.token("bob", Role::Operator, &[]).await);
    let fleet = ask(&world, &ann, "GET /fleet?condition=good", "").await.body;
    let app = between(&fleet, "name=\"app\" value=\"", "\"");
    let before = world.runs().await;
    let preview = ask(&world, &ann, "POST /backups/preview", &format!("app={app}")).await;
    let body = confirmation(&preview, "1");
    assert_eq!(ask(&world, &bob, "POST /backups", &body).await.status, 403);
    assert_eq!(world.runs().await, before);
    assert_eq!(ask(&world, &ann, "POST /backups", &body).await.status, 303);
}

#[tokio::test]
async fn in_local_mode_a_token_has_its_own_rights_and_a_wrong_one_none() {
    let world = World::of(Filling { apps: 1, days: 0, hostile: false }).await;
    let token = world.token("ann", Role::Viewer, &[]).await;
    let role = async |answer: Answer| serde_json::from_str::<Value>(&answer.body).unwrap()["role"].clone();
    assert_eq!(role(world.get("/api/v1/whoami").await).await, "restorer");
    assert_eq!(role(ask(&world, &token, "GET /api/v1/whoami", "").await).await, "viewer");
    assert_eq!(ask(&world, "hf_0", "GET /api/v1/whoami", "").await.status, 401);
    assert_eq!(world.get("/api/v1/tokens").await.status, 403, "tokens need an admin");
}

#[tokio::test]
async fn the_text_of_a_token_is_shown_once_and_is_in_no_other_answer() {
    let (world, _clock) = World::with_login(Filling { apps: 1, days: 0, hostile: false }).await;
    let admin = world.token("boss", Role::Admin, &[]).await;
    let body =
        json!({ "name": "ci", "role": "operator", "expiresIn": "30d", "policies": ["gold"] }).to_string();
    let created = ask(&world, &admin, "POST /api/v1/tokens", &body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let created: Value = serde_json::from_str(&created.body).unwrap();
    let token = created["token"].as_str().unwrap();
    assert_eq!((&created["role"], &created["policies"]), (&json!("operator"), &json!(["gold"])));
    let twice = ask(&world, &admin, "POST /api/v1/tokens", &body).await;
    assert_eq!(twice.status, 409, "{}", twice.body);
    for (body, status) in [
        (json!({ "name": "a b", "role": "viewer" }), 400),
        (json!({ "name": "a", "role": "root" }), 400),
        (json!({ "name": "a", "role": "viewer", "expiresIn": "400d" }), 400),
        (json!({ "name": "a", "role": "viewer", "expiresIn": "soon" }), 400),
        (json!({ "name": "a", "role": "viewer", "scopes": [] }), 400),
    ] {
        assert_eq!(
            ask(&world, &admin, "POST /api/v1/tokens", &body.to_string()).await.status,
            status,
            "{body}"
        );
    }
    let hash = holdfast_store::sha256_hex(token.as_bytes());
    for path in ["/", "/audit", "/capacity", "/api/v1/tokens", "/api/v1/audit", "/api/v1/whoami"] {
        let body = ask(&world, &admin, &format!("GET {path}"), "").await.body;
        assert!(!body.contains(token) && !body.contains(&hash) && !body.contains(&admin), "{path}");
    }
    let list: Value =
        serde_json::from_str(&ask(&world, &admin, "GET /api/v1/tokens", "").await.body).unwrap();
    assert_eq!(list["value"].as_array().unwrap().len(), 2);
    assert!(list["value"][0].get("hash").is_none(), "{list}");
}
