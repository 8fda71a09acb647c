//! Acts on backups through the API: scope, confirmation, secrets and the audit.

use holdfast_access::Role;
use holdfast_model::AppId;
use holdfast_store::CatalogFilter;
use serde_json::{Value, json};

use crate::access::{SMALL, ask};
use crate::world::World;

/// An app of each of two policies, with a backup.
async fn backups(world: &World) -> Vec<(AppId, i64, String)> {
    let entries = world.store.catalog(&CatalogFilter::default()).await.unwrap();
    let status = world.store.status().await.unwrap();
    let mut found: Vec<(AppId, i64, String)> = Vec::new();
    for entry in entries {
        let policy = status.iter().find(|status| status.app == entry.app).and_then(|of| of.policy.clone());
        let Some(policy) = policy.map(|policy| policy.to_string()) else { continue };
        if found.iter().all(|(_, _, known)| *known != policy) {
            found.push((entry.app, entry.backup.id.0, policy));
        }
    }
    found
}

fn read(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

#[tokio::test]
async fn the_catalog_is_read_in_pages_and_each_app_comes_whole() {
    let (world, _clock) = World::with_login(SMALL).await;
    let token = world.token("ann", Role::Viewer, &[]).await;
    let (mut next, mut seen) = (Some("/api/v1/backups".to_owned()), Vec::new());
    while let Some(address) = next {
        let page = read(&ask(&world, &token, &format!("GET {address}"), "").await.body);
        let rows = page["value"].as_array().unwrap();
        seen.extend(rows.iter().map(|row| (row["app"].clone(), row["backup"]["id"].clone())));
        next = page["nextLink"].as_str().map(str::to_owned);
    }
    let all = world.store.catalog(&CatalogFilter::default()).await.unwrap();
    let all: Vec<_> = all.iter().map(|entry| (json!(entry.app), json!(entry.backup.id))).collect();
    assert_eq!((seen.len(), &seen[..5]), (all.len(), &all[..5]));
    let one = format!("GET /api/v1/backups?app={}", all[0].0.as_str().unwrap());
    let one = read(&ask(&world, &token, &one, "").await.body);
    assert!(
        one["value"].as_array().unwrap().iter().all(|row| row["app"] == all[0].0)
            && one["nextLink"].is_null()
    );
}

#[tokio::test]
async fn acts_on_backups_stay_within_the_scope_of_a_token_and_name_it_in_the_audit() {
    let (world, _clock) = World::with_login(SMALL).await;
    let found = backups(&world).await;
    let (own, other) = (&found[0], &found[1]);
    let token = world.token("night", Role::Admin, &[&own.2]).await;
    for call in ["holds", "holds/release", "backups/reveal", "verifications", "sas/refresh", "deletions/plan"]
    {
        let body = |(app, backup, _): &(AppId, i64, String)| match call {
            "verifications" => json!({ "apps": [app] }),
            "sas/refresh" => json!({ "app": app }),
            "deletions/plan" => json!({ "app": app, "backups": [backup] }),
            "backups/reveal" => json!({ "app": app, "backup": backup }),
            _ => json!({ "app": app, "backup": backup, "reason": "audit" }),
        };
        let request = format!("POST /api/v1/{call}");
        let refused = ask(&world, &token, &request, &body(other).to_string()).await;
        assert!(refused.status == 403 && refused.body.contains("out_of_scope"), "{call}: {}", refused.body);
        let done = ask(&world, &token, &request, &body(own).to_string()).await;
        assert_ne!(done.status, 403, "{call}: {}", done.body);
    }
    let all = ask(&world, &token, "POST /api/v1/native-schedules/plan", r#"{ "all": true }"#).await;
    assert!(all.status == 403 && all.body.contains("out_of_scope"), "{}", all.body);
    let audit = world.audit().await;
    let held = audit.split("Held {").nth(1).unwrap_or_else(|| panic!("{audit}"));
    for said in ["audit", "night", "token", "api"] {
        assert!(held.contains(said), "{said}: {held}");
    }
    assert!(!audit.contains("sig="), "{audit}");
}

#[tokio::test]
async fn backups_are_deleted_where_the_name_of_the_app_confirms_it() {
    let (world, _clock) = World::with_login(SMALL).await;
    let (app, backup, _) = backups(&world).await.remove(0);
    let token = world.token("boss", Role::Admin, &[]).await;
    let body = json!({ "app": app, "backups": [backup] });
    let plan = ask(&world, &token, "POST /api/v1/deletions/plan", &body.to_string()).await;
    let plan = read(&plan.body);
    assert_eq!(
        (&plan["confirm"], &plan["backups"][0]["backup"]["id"]),
        (&json!(app.short_name()), &json!(backup))
    );
    for (confirm, status) in [(json!(""), 400), (json!("shop-x"), 400), (plan["confirm"].clone(), 202)] {
        let body = json!({ "app": app, "backups": [backup], "confirm": confirm });
        let answer = ask(&world, &token, "POST /api/v1/deletions", &body.to_string()).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(
            status == 400 || answer.head.contains("operation-location: /api/v1/runs?"),
            "{}",
            answer.head
        );
    }
    let restorer = world.token("ann", Role::Restorer, &[]).await;
    assert_eq!(ask(&world, &restorer, "POST /api/v1/deletions", &body.to_string()).await.status, 403);
}

#[tokio::test]
async fn a_revealed_sas_is_cached_nowhere_and_only_for_admins() {
    let (world, _clock) = World::with_login(SMALL).await;
    let (app, backup, _) = backups(&world).await.remove(0);
    let body = json!({ "app": app, "backup": backup }).to_string();
    let (admin, restorer) =
        (world.token("boss", Role::Admin, &[]).await, world.token("ann", Role::Restorer, &[]).await);
    let shown = ask(&world, &admin, "POST /api/v1/backups/reveal", &body).await;
    assert!(shown.status == 200 && shown.body.contains("sig="), "{}", shown.body);
    assert!(shown.head.contains("cache-control: no-store"), "{}", shown.head);
    let refused = ask(&world, &restorer, "POST /api/v1/backups/reveal", &body).await;
    assert!(refused.status == 403 && !refused.body.contains("sig="), "{}", refused.body);
}

#[tokio::test]
async fn a_change_of_native_schedules_needs_the_number_of_its_apps() {
    let (world, _clock) = World::with_login(SMALL).await;
    let app = backups(&world).await.remove(0).0;
    let token = world.token("ann", Role::Operator, &[]).await;
    for (body, status) in [
        (json!({ "apps": [app] }), 400),
        (json!({ "apps": [app], "confirm": 2 }), 400),
        (json!({ "apps": [app], "all": true, "confirm": 1 }), 400),
        (json!({ "confirm": 0 }), 400),
        (json!({ "apps": [app], "confirm": 1 }), 202),
    ] {
        let answer = ask(&world, &token, "POST /api/v1/native-schedules", &body.to_string()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_with_a_problem() {
    let (world, _clock) = World::with_login(SMALL).await;
    let token = world.token("boss", Role::Admin, &[]).await;
    let long = format!(r#"{{ "app": "{}" }}"#, "x".repeat(300_000));
    for (request, body, status, code) in [
        ("POST /api/v1/verifications", long.as_str(), 413, "body_too_large"),
        ("POST /api/v1/verifications", "{", 400, "invalid_body"),
        ("POST /api/v1/verifications", r#"{ "apps": ["nobody"] }"#, 404, "no_such_app"),
        ("GET /api/v1/runs/%FF", "", 400, "invalid_query"),
        ("GET /api/v1/inventory", "", 400, "invalid_query"),
        ("GET /api/v1/history?app=shop&kind=wish", "", 400, "invalid_query"),
        ("GET /api/v1/schedules?count=1001", "", 400, "invalid_query"),
        ("PUT /api/v1/runs", "", 405, "method_not_allowed"),
        ("GET /api/v1/nowhere", "", 404, "no_such_page"),
    ] {
        let answer = ask(&world, &token, request, body).await;
        assert_eq!(answer.status, status, "{request}: {}", answer.body);
        assert!(answer.head.contains("content-type: application/problem+json"), "{request}: {}", answer.head);
        assert_eq!(read(&answer.body)["code"], code, "{request}");
    }
}
