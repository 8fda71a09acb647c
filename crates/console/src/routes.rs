//! The routes of the pages and the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler as _;
use axum::http::Method;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::Response;
use holdfast_access::Permission::{
    Acknowledge, BackUp, Cancel, ChangeFleet, Delete, Drill, Hold, ManageTokens, Pause, ReleaseHold, Restore,
    Retry, RevealSas, SignCheckpoint, View,
};

use crate::api::plain::as_problem;
use crate::api::{
    access, acts, approvals, audit, backup_acts, backups, catalog, config, deletions, drills, fleet, holds,
    letters, many, many_drills, many_holds, native_schedules, pauses, policies, reads, restores, revisions,
    selections, standing,
};
use crate::assets::asset;
use crate::caller::{Caller, Secure, Through};
use crate::entra_logins::EntraLogins;
use crate::events::events;
use crate::failure::{Failure, Forbidden};
use crate::gate::Gate;
use crate::headers::secured;
use crate::pages;
use crate::route_table::{RouteRule, RouteTable, answered};
use crate::site::Site;

/// The greatest body of a request. A page of selected apps is far smaller.
const BODY_BYTES: usize = 256 * 1024;

/// The same with a fleet file, which has at most 8 MiB, as JSON.
const FLEET_BYTES: usize = 16 * 1024 * 1024;

/// Characters of a refused request in the audit.
const WHAT_CHARS: usize = 200;

/// Every page and every call of the API, each with the permission that it demands.
fn table() -> RouteTable {
    upkeep(many(api(pages(RouteTable::default()))))
}

/// The pages, and what they need.
fn pages(table: RouteTable) -> RouteTable {
    table
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
        .get("/audit/export", View, pages::audit_export::export)
        .post_in_scope("/backups/preview", BackUp, pages::backups::preview)
        .post_in_scope("/backups", BackUp, pages::backups::start)
        .get("/backups/{id}", View, pages::backups::result)
        .post_in_scope("/verifications/preview", BackUp, pages::verifications::preview)
        .post_in_scope("/verifications", BackUp, pages::verifications::start)
        .get("/verifications/{id}", View, pages::verifications::result)
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
        .open(Method::GET, "/login/entra", pages::entra::begin)
        .open(Method::GET, "/login/entra/callback", pages::entra::end)
        .post("/logout", View, pages::login::log_out)
}

/// The calls of the API.
fn api(table: RouteTable) -> RouteTable {
    table
        .get("/api/v1/openapi.json", View, reads::openapi)
        .get("/api/v1/overview", View, reads::overview)
        .get("/api/v1/coverage", View, pages::coverage::document)
        .get("/api/v1/apps", View, reads::apps)
        .get("/api/v1/apps/{*name}", View, reads::app)
        .get("/api/v1/runs", View, reads::runs)
        .get("/api/v1/runs/{id}", View, reads::run)
        .get("/api/v1/runs/{id}/events", View, standing::of_run)
        .get("/api/v1/history", View, standing::of_app)
        .get("/api/v1/status", View, standing::fleet)
        .get("/api/v1/check", View, standing::check)
        .get("/api/v1/policies", View, policies::effective)
        .get("/api/v1/discovery", View, policies::discovery)
        .post("/api/v1/selections", View, selections::select)
        .post_in_scope("/api/v1/pauses", Pause, pauses::begin)
        .post_in_scope("/api/v1/pauses/end", Pause, pauses::end)
        .post_in_scope("/api/v1/backups/plan", BackUp, backups::plan)
        .post_in_scope("/api/v1/backups/named", BackUp, backups::start_named)
        .post_in_scope("/api/v1/backups", BackUp, backups::start)
        .post_in_scope("/api/v1/apps/{*name}", Pause, acts::on_app)
        .post_in_scope("/api/v1/restores/plan", Restore, restores::plan)
        .post_in_scope("/api/v1/restores", Restore, restores::start)
        .post_in_scope("/api/v1/drills/plan", Drill, drills::plan)
        .post_in_scope("/api/v1/drills", Drill, drills::start)
        .get("/api/v1/approvals", View, approvals::list)
        .get("/api/v1/approvals/{id}", View, approvals::one)
        .post_in_scope("/api/v1/approvals/{id}/confirm", Restore, approvals::confirm)
        .post_in_scope("/api/v1/approvals/{id}/decline", Restore, approvals::decline)
        .post_in_scope("/api/v1/approvals/{id}/withdraw", Restore, approvals::withdraw)
        .post_in_scope("/api/v1/runs/retry", Retry, backups::retry)
        .post_in_scope("/api/v1/runs/{id}/cancel", Cancel, acts::cancel)
        .post_in_scope("/api/v1/runs/{id}/acknowledge", Acknowledge, acts::acknowledge)
        .get("/api/v1/backups", View, catalog::list)
        .get_in_scope("/api/v1/backups/{number}", BackUp, catalog::show)
        .get_in_scope("/api/v1/inventory", BackUp, catalog::inventory)
        .get_in_scope("/api/v1/doctor", BackUp, catalog::check)
        .get("/api/v1/holds", View, holds::list)
        .post_in_scope("/api/v1/holds", Hold, holds::hold)
        .post_in_scope("/api/v1/holds/release", ReleaseHold, holds::release)
        .post_in_scope("/api/v1/backups/reveal", RevealSas, backup_acts::reveal)
        .post_in_scope("/api/v1/backups/adopt", BackUp, backup_acts::adopt)
        .post_in_scope("/api/v1/verifications", BackUp, backup_acts::verify)
        .post_in_scope("/api/v1/sas/refresh", BackUp, backup_acts::refresh_sas)
        .post_in_scope("/api/v1/deletions/plan", Delete, deletions::plan)
        .post_in_scope("/api/v1/deletions", Delete, deletions::start)
        .get("/api/v1/problems", View, fleet::problems)
        .get("/api/v1/subscriptions", View, fleet::subscriptions)
        .post("/api/v1/budgets/reopen", Retry, fleet::reopen)
        .get("/api/v1/retention", View, fleet::retention)
        .get("/api/v1/schedules", View, fleet::schedules)
        .get("/api/v1/forecast", View, fleet::forecast)
        .get("/api/v1/storages", BackUp, fleet::storages)
        .post_in_scope("/api/v1/native-schedules/show", BackUp, native_schedules::show)
        .post_in_scope("/api/v1/native-schedules/drift", BackUp, native_schedules::drift)
        .post_in_scope("/api/v1/native-schedules/plan", BackUp, native_schedules::plan)
        .post_in_scope("/api/v1/native-schedules", BackUp, native_schedules::change)
        .get("/api/v1/revisions", View, revisions::list)
        .get("/api/v1/revisions/{number}", View, revisions::show)
        .get("/api/v1/revisions/{number}/changes", View, revisions::changes)
        .post("/api/v1/revisions", ChangeFleet, revisions::apply.layer(DefaultBodyLimit::max(FLEET_BYTES)))
        .get("/api/v1/whoami", View, access::whoami)
        .get("/api/v1/tokens", ManageTokens, access::list)
        .post("/api/v1/tokens", ManageTokens, access::create)
        .delete("/api/v1/tokens/{name}", ManageTokens, access::revoke)
}

/// The calls about the audit, dead letters and a fleet file.
fn upkeep(table: RouteTable) -> RouteTable {
    table
        .get("/api/v1/audit", View, reads::audit)
        .get("/api/v1/audit/export", View, audit::export)
        .post("/api/v1/audit/verifications", View, audit::begin)
        .get("/api/v1/audit/verifications/{id}", View, audit::look)
        .get("/api/v1/audit/checkpoints", View, audit::checkpoints)
        .post("/api/v1/audit/checkpoints", SignCheckpoint, audit::sign)
        .get("/api/v1/dead-letters", Retry, letters::list)
        .get("/api/v1/dead-letters/{id}", Retry, letters::show)
        .post("/api/v1/dead-letters/retry", Retry, letters::retry)
        .post("/api/v1/dead-letters/drop", Retry, letters::remove)
        .post("/api/v1/config/check", BackUp, config::check.layer(DefaultBodyLimit::max(FLEET_BYTES)))
}

/// The pages and calls about many apps at once.
fn many(table: RouteTable) -> RouteTable {
    table
        .post_in_scope("/restores/many/form", Restore, pages::many::form)
        .post_in_scope("/restores/many/plan", Restore, pages::many::plan)
        .get_in_scope("/restores/many/{id}", Restore, pages::many::show)
        .post_in_scope("/restores/many", Restore, pages::many::start)
        .post_in_scope("/drills/many/form", Drill, pages::many::form)
        .post_in_scope("/drills/many/plan", Drill, pages::many::plan)
        .get_in_scope("/drills/many/{id}", Drill, pages::many::show)
        .post_in_scope("/drills/many", Drill, pages::many::start)
        .post_in_scope("/holds/many/preview", Hold, pages::many_holds::preview)
        .post_in_scope("/holds/many", Hold, pages::many_holds::start)
        .post_in_scope("/holds/many/release/preview", ReleaseHold, pages::many_holds::preview)
        .post_in_scope("/holds/many/release", ReleaseHold, pages::many_holds::start)
        .post_in_scope("/api/v1/restores/many/plan", Restore, many::plan)
        .get_in_scope("/api/v1/restores/many/{id}", Restore, many::show)
        .post_in_scope("/api/v1/restores/many", Restore, many::start)
        .post_in_scope("/api/v1/drills/many/plan", Drill, many_drills::plan)
        .get_in_scope("/api/v1/drills/many/{id}", Drill, many_drills::show)
        .post_in_scope("/api/v1/drills/many", Drill, many_drills::start)
        .post_in_scope("/api/v1/holds/plan", Hold, many_holds::plan)
        .post_in_scope("/api/v1/holds/many", Hold, many_holds::hold)
        .post_in_scope("/api/v1/holds/many/release", ReleaseHold, many_holds::release)
}

/// Every route with what it demands.
pub fn route_rules() -> Vec<RouteRule> {
    table().rules()
}

/// The routes of the pages and the API, open to those whom the gate lets in.
pub fn routes(site: Arc<Site>, gate: Gate) -> Router {
    let (gate, entra) = (Arc::new(gate), site.entra.as_ref().map(EntraLogins::begin_url));
    let guard = move |request: Request, next: Next| {
        pages::login::offering(entra.clone(), guarded(Arc::clone(&gate), request, next))
    };
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
    let (method, is_api) = (head.method.clone(), Through::of(&head.uri) == Through::Api);
    let what: String = format!("{} {}", head.method, head.uri.path()).chars().take(WHAT_CHARS).collect();
    head.extensions.insert(Secure(gate.is_secure()));
    head.extensions.insert(Arc::clone(&gate));
    if let Some(caller) = &caller {
        head.extensions.insert(caller.clone());
    }
    let actor = caller.as_ref().map(|caller| caller.actor.clone());
    let answer = Caller::answering(caller, next.run(Request::from_parts(head, body))).await;
    let answer = if is_api { as_problem(&method, answer) } else { answer };
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
