//! Every route under every role.

use axum::http::Method;
use holdfast_access::Role;
use holdfast_console::{Demand, RouteRule, route_rules};
use serde_json::json;

use crate::access::{ANY, FORM, JSON, SMALL, ask};
use crate::actions::{confirmation, fields_of};
use crate::world::{World, between};

/// What a matrix of requests needs of the world.
pub struct Samples {
    /// Apps without a run under way.
    apps: Vec<String>,
    name: String,
    run: String,
    result: String,
    style: String,
    viewer: String,
    /// A request to a second person.
    approval: String,
}

impl Samples {
    /// A request of a route that a permitted caller gets through, with its body and the status of its answer.
    pub async fn of(
        &self,
        world: &World,
        rule: &RouteRule,
        (who, token): (&str, &str),
    ) -> (String, String, u16) {
        let RouteRule { method, path, .. } = rule;
        let place = Role::ALL.iter().position(|role| role.as_str() == who).unwrap_or_default();
        let [app, other] = [0, 1].map(|of| &self.apps[2 * place + of]);
        let (path, body, status) = match (method.as_str(), *path) {
            ("GET", "/apps/{*name}") => (format!("/apps/{}", self.name), String::new(), 200),
            ("GET", "/api/v1/apps/{*name}") => (format!("/api/v1/apps/{}", self.name), String::new(), 200),
            ("GET", "/runs/{id}") => (format!("/runs/{}", self.run), String::new(), 200),
            ("GET", "/api/v1/runs/{id}") => (format!("/api/v1/runs/{}", self.run), String::new(), 200),
            ("GET", "/verifications/{id}") => ("/verifications/0".into(), String::new(), ANY),
            ("GET", "/backups/{id}") => (self.result.clone(), String::new(), 200),
            ("GET", "/static/{name}") => (self.style.clone(), String::new(), 200),
            ("POST", "/backups/preview" | "/verifications/preview") => {
                (path.to_string(), format!("app={app}"), 200)
            }
            ("POST", confirmed @ ("/backups" | "/verifications")) => {
                let asked =
                    ask(world, token, &format!("POST {confirmed}/preview"), &format!("app={app}")).await;
                let fields = || fields_of(&asked, &format!("action=\"{confirmed}\">"));
                let is_asked = asked.status == 200;
                let body = if is_asked { format!("count=1&{}", fields()) } else { format!("app={app}") };
                (path.to_string(), body, 303)
            }
            ("POST", "/login") => (path.to_string(), format!("token={}", self.viewer), 303),
            ("GET", "/login/entra" | "/login/entra/callback") => (path.to_string(), String::new(), 404),
            ("POST", "/logout") => (path.to_string(), String::new(), 303),
            ("POST", "/api/v1/backups") => (path.to_string(), json!({ "apps": [other] }).to_string(), 202),
            ("POST", "/api/v1/tokens") => {
                (path.to_string(), json!({ "name": format!("new-{who}"), "role": "viewer" }).to_string(), 201)
            }
            ("GET", "/acts/{id}/form") => (format!("/acts/pause/form?app={app}"), String::new(), 200),
            ("GET", "/acts/{id}/result") => ("/acts/0/result".into(), String::new(), ANY),
            ("POST", act) if act.starts_with("/acts/") => self.act(world, token, act, app).await,
            ("POST", "/api/v1/apps/{*name}") => {
                let body = json!({ "reason": "audit", "for": "8h" }).to_string();
                (format!("/api/v1/apps/{}/pause", self.name), body, ANY)
            }
            ("POST", "/api/v1/runs/retry") => {
                (path.to_string(), json!({ "runs": [self.run] }).to_string(), ANY)
            }
            ("POST", run) if run.starts_with("/api/v1/runs/{id}/") => {
                (run.replace("{id}", &self.run), json!({ "reason": "audit" }).to_string(), ANY)
            }
            (method, path) if path.contains("/approvals/{id}") => {
                crate::approvals::sample(world, token, (method, path), &self.approval).await
            }
            // A stream is for clients that accept one.
            ("GET", "/events") => (path.to_string(), String::new(), 406),
            ("GET", "/restores/form") => (format!("/restores/form?app={app}"), String::new(), 200),
            ("GET", "/api/v1/runs/{id}/events") => {
                (format!("/api/v1/runs/{}/events", self.run), String::new(), 200)
            }
            ("GET", "/api/v1/coverage" | "/api/v1/forecast" | "/api/v1/discovery") => {
                (path.to_string(), String::new(), ANY)
            }
            (method, asked) if asked.contains("/many") => {
                crate::many::sample(world, token, (method, asked), app).await
            }
            ("POST", asked) if asked.contains("/restores") || asked.contains("/drills") => {
                crate::restores::sample(world, token, asked, app).await
            }
            ("POST", "/api/v1/holds") => {
                (path.to_string(), json!({ "app": app, "backup": 1, "reason": "audit" }).to_string(), ANY)
            }
            (_, asked) if self.of_backups(asked, app).is_some() => self.of_backups(asked, app).unwrap(),
            ("DELETE", "/api/v1/tokens/{name}") => ("/api/v1/tokens/spare".into(), String::new(), 200),
            ("GET", fixed) if !fixed.contains('{') => (fixed.to_owned(), String::new(), 200),
            (method, path) => panic!("the matrix has no sample of {method} {path}: add one"),
        };
        (format!("{method} {path}"), body, status)
    }
}

impl Samples {
    /// A request about backups, retention or Azure's own schedules through the API, and 200 where Azure is not asked.
    fn of_backups(&self, path: &str, app: &str) -> Option<(String, String, u16)> {
        let call = path.strip_prefix("/api/v1/")?;
        let query = |path: &str| format!("{path}?app={}", self.name);
        let (path, body, status) = match call {
            "retention" | "history" | "check" => (query(path), None, 200),
            "selections" => (path.to_owned(), Some(json!({ "names": [app] })), 200),
            "pauses" => {
                let until = "2020-01-01T00:00:00Z";
                (path.to_owned(), Some(json!({ "apps": [app], "until": until, "reason": "audit" })), ANY)
            }
            "pauses/end" => (path.to_owned(), Some(json!({ "apps": [app], "reason": "audit" })), ANY),
            "doctor" | "inventory" => (query(path), None, ANY),
            "backups/{number}" => (query("/api/v1/backups/1"), None, ANY),
            "sas/refresh" => (path.to_owned(), Some(json!({ "app": app })), ANY),
            "verifications" | "backups/plan" | "backups/named" => {
                (path.to_owned(), Some(json!({ "apps": [app] })), ANY)
            }
            "backups/reveal" => (path.to_owned(), Some(json!({ "app": app, "backup": 1 })), ANY),
            "backups/adopt" | "deletions" | "deletions/plan" => {
                (path.to_owned(), Some(json!({ "app": app, "backups": [1] })), ANY)
            }
            "holds/plan" => (path.to_owned(), Some(json!({ "select": { "names": [app] } })), 200),
            "holds/release" => {
                (path.to_owned(), Some(json!({ "app": app, "backup": 1, "reason": "audit" })), ANY)
            }
            "audit/verifications" => (path.to_owned(), Some(json!({})), 202),
            "audit/verifications/{id}" => (path.replace("{id}", "0"), None, ANY),
            "audit/checkpoints" => (path.to_owned(), Some(json!({})), ANY),
            "dead-letters/{id}" => (path.replace("{id}", "5b1c"), None, 200),
            "dead-letters/retry" | "dead-letters/drop" => {
                (path.to_owned(), Some(json!({ "letter": "5b1c" })), 200)
            }
            "config/check" => (path.to_owned(), Some(json!({ "text": "" })), 200),
            "revisions" => (path.to_owned(), Some(json!({ "text": "" })), ANY),
            "revisions/{number}/changes" => ("/api/v1/revisions/1/changes?from=1".to_owned(), None, ANY),
            "revisions/{number}" => ("/api/v1/revisions/1".to_owned(), None, ANY),
            "budgets/reopen" => (path.to_owned(), Some(json!({ "subscription": "nobody" })), ANY),
            schedules if schedules.starts_with("native-schedules") => {
                (path.to_owned(), Some(json!({ "apps": [app] })), ANY)
            }
            _ => return None,
        };
        Some((path, body.map(|body| body.to_string()).unwrap_or_default(), status))
    }

    /// A form of an act on an app, a run or a backup.
    async fn act(&self, world: &World, token: &str, act: &str, app: &str) -> (String, String, u16) {
        let kind = act.trim_start_matches("/acts/");
        let (query, status) = match kind {
            "pause" => (format!("app={app}"), 303),
            "resume" => (format!("app={app}"), ANY),
            "hold" | "release" => (format!("app={app}&backup=1"), ANY),
            _ => (format!("run={}", self.run), ANY),
        };
        let form = ask(world, token, &format!("GET /acts/{kind}/form?{query}"), "").await;
        let form =
            if form.status == 200 { between(&form.body, "name=\"form\" value=\"", "\"") } else { "none" };
        (act.to_owned(), format!("form={form}&{query}&reason=audit&for=8h"), status)
    }
}

/// A principal whose acts are limited to policies uses no route that is about more.
async fn limited_acts_are_refused(world: &World, samples: &Samples) {
    let limited = world.token("limited", Role::Admin, &["gold"]).await;
    for rule in route_rules() {
        if let Demand::Permission(permission) = rule.demand
            && !permission.only_reads()
            && rule.path != "/backups/{id}"
        {
            let (request, body, _) = samples.of(world, &rule, ("nobody", &limited)).await;
            let answer = ask(world, &limited, &request, &body).await;
            assert_eq!(answer.status, 403, "{request} is about more than some policies");
        }
    }
}

impl Samples {
    /// The samples of a world with these logins.
    pub async fn new(world: &World, (viewer, operator): (&str, &str)) -> Self {
        let fleet = ask(world, viewer, "GET /fleet?sort=name", "").await.body;
        let good = ask(world, viewer, "GET /fleet?condition=good", "").await.body;
        let value = |row: &str| between(row, "", "\"").to_owned();
        let mut apps: Vec<String> = good.split("name=\"app\" value=\"").skip(1).map(value).collect();
        let app = apps.pop().unwrap();
        let asked = ask(world, operator, "POST /backups/preview", &format!("app={app}")).await;
        let started = ask(world, operator, "POST /backups", &confirmation(&asked, "1")).await;
        Self {
            apps,
            name: between(&fleet, "href=\"/apps/", "\"").to_owned(),
            run: between(&ask(world, viewer, "GET /activity", "").await.body, "href=\"/runs/", "\"")
                .to_owned(),
            result: between(&started.head, "location: ", "\r\n").to_owned(),
            style: format!("/static/style-{}", between(&fleet, "/static/style-", "\"")),
            viewer: viewer.to_owned(),
            approval: crate::approvals::waiting(world).await.to_string(),
        }
    }
}

#[tokio::test]
async fn every_route_serves_the_roles_that_have_its_permission_and_no_other() {
    let (world, _clock) = World::with_login(SMALL).await;
    let mut callers = vec![("nobody", None, String::new())];
    for role in Role::ALL {
        callers.push((role.as_str(), Some(role), world.token(role.as_str(), role, &[]).await));
    }
    let (viewer, operator) = (callers[1].2.clone(), callers[2].2.clone());
    world.token("spare", Role::Viewer, &[]).await;
    let samples = Samples::new(&world, (&viewer, &operator)).await;
    let mut wrong = Vec::new();
    for rule in route_rules() {
        for (who, role, token) in &callers {
            let (request, body, through) = samples.of(&world, &rule, (who, token)).await;
            let expected = match (rule.demand, role) {
                (Demand::Nothing, _) => through,
                (_, None) => 401,
                (Demand::Permission(permission) | Demand::InScope(permission), Some(role)) => {
                    if role.may(permission) { through } else { 403 }
                }
            };
            let answer = match role {
                None => {
                    world.ask(&request, &[if request.contains("/api/") { JSON } else { FORM }], &body).await
                }
                Some(_) => ask(&world, token, &request, &body).await,
            };
            let is_through = expected == ANY && ![401, 403].contains(&answer.status);
            if answer.status != expected && !is_through {
                wrong.push(format!("{who}: {request}: {} and not {expected}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    limited_acts_are_refused(&world, &samples).await;
    for request in ["GET /nowhere", "DELETE /fleet", "GET /api/v1/nowhere"] {
        assert_eq!(world.ask(request, &[], "").await.status, 401, "{request}");
    }
    assert!(
        route_rules().iter().all(|rule| rule.method == Method::GET
            || rule.demand != Demand::Nothing
            || rule.path == "/login")
    );
}
