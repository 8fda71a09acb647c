//! The routes of the pages and the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::Method;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::Response;
use holdfast_access::Permission::{
    Acknowledge, BackUp, Cancel, Drill, Hold, ManageTokens, Pause, ReleaseHold, Restore, Retry, View,
};

use crate::assets::asset;
use crate::caller::{Caller, Secure};
use crate::events::events;
use crate::failure::{Failure, Forbidden};
use crate::gate::Gate;
use crate::headers::secured;
use crate::pages;
use crate::route_table::{RouteRule, RouteTable, answered};
use crate::site::Site;
use crate::{api, api_access, api_acts, api_approvals, api_backups, api_restores};

/// The greatest body of a request. A page of selected apps is far smaller.
const BODY_BYTES: usize = 256 * 1024;

/// Characters of a refused request in the audit.
const WHAT_CHARS: usize = 200;

/// Every page and every call of the API, each with the permission that it demands.
fn table() -> RouteTable {
    RouteTable::default()
        .get("/", View, pages::overview)
        .get("/fleet", View, pages::fleet)
        .get("/fleet.csv", View, pages::export::csv)
        .get("/fleet.json", View, pages::export::json)
        .get("/apps/{*name}", View, pages::app)
        .get("/activity", View, pages::activity)
        .get("/runs/{id}", View, pages::run)
        .get("/coverage", View, pages::coverage::coverage)
        .get("/capacity", View, pages::capacity)
        .get("/audit", View, pages::audit)
        .post_in_scope("/backups/preview", BackUp, pages::backups::preview)
        .post_in_scope("/backups", BackUp, pages::backups::start)
        .get("/backups/{id}", View, pages::backups::result)
        .get("/acts/{id}/form", View, pages::acts::form)
        .get("/acts/{id}/result", View, pages::acts::result)
        .post_in_scope("/acts/pause", Pause, pages::acts::act)
        .post_in_scope("/acts/resume", Pause, pages::acts::act)
        .post_in_scope("/acts/acknowledge", Acknowledge, pages::acts::act)
        .post_in_scope("/acts/cancel", Cancel, pages::acts::act)
        .post_in_scope("/acts/hold", Hold, pages::acts::act)
        .post_in_scope("/acts/release", ReleaseHold, pages::acts::act)
        .get("/restores/form", View, pages::restore::form)
        .post_in_scope("/restores/preview", Restore, pages::restore::preview)
        .post_in_scope("/restores", Restore, pages::restore::start)
        .post_in_scope("/drills/preview", Drill, pages::restore::preview)
        .post_in_scope("/drills", Drill, pages::restore::start)
        .get("/events", View, events)
        .get("/approvals/{id}", View, pages::approvals::page)
        .post_in_scope("/approvals/{id}/confirm", Restore, pages::approvals::answer)
        .post_in_scope("/approvals/{id}/decline", Restore, pages::approvals::answer)
        .post_in_scope("/approvals/{id}/withdraw", Restore, pages::approvals::answer)
        .open(Method::GET, "/static/{name}", asset)
        .open(Method::GET, "/login", pages::login::page)
        .open(Method::POST, "/login", pages::login::log_in)
        .post("/logout", View, pages::login::log_out)
        .get("/api/v1/overview", View, api::overview)
        .get("/api/v1/coverage", View, pages::coverage::document)
        .get("/api/v1/apps", View, api::apps)
        .get("/api/v1/apps/{*name}", View, api::app)
        .get("/api/v1/runs", View, api::runs)
        .get("/api/v1/runs/{id}", View, api::run)
        .get("/api/v1/audit", View, api::audit)
        .post_in_scope("/api/v1/backups", BackUp, api_backups::start)
        .post_in_scope("/api/v1/apps/{*name}", Pause, api_acts::on_app)
        .post_in_scope("/api/v1/restores/plan", Restore, api_restores::plan)
        .post_in_scope("/api/v1/restores", Restore, api_restores::start)
        .post_in_scope("/api/v1/drills/plan", Drill, api_restores::plan)
        .post_in_scope("/api/v1/drills", Drill, api_restores::start)
        .get("/api/v1/approvals", View, api_approvals::list)
        .get("/api/v1/approvals/{id}", View, api_approvals::one)
        .post_in_scope("/api/v1/approvals/{id}/confirm", Restore, api_approvals::answer)
        .post_in_scope("/api/v1/approvals/{id}/decline", Restore, api_approvals::answer)
        .post_in_scope("/api/v1/approvals/{id}/withdraw", Restore, api_approvals::answer)
        .post_in_scope("/api/v1/runs/retry", Retry, api_backups::retry)
        .post_in_scope("/api/v1/runs/{id}/cancel", Cancel, api_acts::on_run)
        .post_in_scope("/api/v1/runs/{id}/acknowledge", Acknowledge, api_acts::on_run)
        .get("/api/v1/whoami", View, api_access::whoami)
        .get("/api/v1/tokens", ManageTokens, api_access::list)
        .post("/api/v1/tokens", ManageTokens, api_access::create)
        .delete("/api/v1/tokens/{name}", ManageTokens, api_access::revoke)
}

/// Every route with what it demands.
pub fn route_rules() -> Vec<RouteRule> {
    table().rules()
}

/// The routes of the pages and the API, open to those whom the gate lets in.
pub fn routes(site: Arc<Site>, gate: Gate) -> Router {
    let gate = Arc::new(gate);
    let guard = move |request: Request, next: Next| guarded(Arc::clone(&gate), request, next);
    let no_page = async |request: Request| unmatched(&request, Failure::no_page());
    let no_method = async |request: Request| unmatched(&request, Failure::no_method());
    table()
        .router()
        .fallback(no_page)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn(guard))
        .layer(map_response(secured))
        .with_state(site)
}

/// Finds out who asks, and records a caller that is refused.
async fn guarded(gate: Arc<Gate>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let caller = match gate.caller(&head).await {
        Ok(caller) => caller,
        Err(failure) => return answered(&head.uri, &failure),
    };
    let what: String = format!("{} {}", head.method, head.uri.path()).chars().take(WHAT_CHARS).collect();
    head.extensions.insert(Secure(gate.is_secure()));
    head.extensions.insert(Arc::clone(&gate));
    if let Some(caller) = &caller {
        head.extensions.insert(caller.clone());
    }
    let actor = caller.as_ref().map(|caller| caller.actor.clone());
    let answer = Caller::answering(caller, next.run(Request::from_parts(head, body))).await;
    if let (Some(actor), Some(Forbidden(code))) = (actor, answer.extensions().get()) {
        gate.refused(actor, &what, code).await;
    }
    answer
}

/// The answer to a request that no route takes. A client without a login is not told which pages exist.
fn unmatched(request: &Request, failure: Failure) -> Response {
    let is_known = request.extensions().get::<Caller>().is_some();
    answered(request.uri(), &if is_known { failure } else { Failure::login_demanded() })
}
