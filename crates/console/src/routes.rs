//! The routes of the pages and the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::Method;
use axum::middleware::{Next, from_fn, map_response};
use holdfast_access::Permission::{
    Acknowledge, BackUp, Cancel, Drill, Hold, Pause, ReleaseHold, Restore, Retry, View,
};

use crate::assets::asset;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::headers::secured;
use crate::pages;
use crate::route_table::{RouteRule, RouteTable, answered};
use crate::site::Site;
use crate::{api, api_acts, api_backups, api_restores};

/// The greatest body of a request. A page of selected apps is far smaller.
const BODY_BYTES: usize = 256 * 1024;

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
        .get("/backups/{id}", BackUp, pages::backups::result)
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
        .open(Method::GET, "/static/{name}", asset)
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
        .post_in_scope("/api/v1/runs/retry", Retry, api_backups::retry)
        .post_in_scope("/api/v1/runs/{id}/cancel", Cancel, api_acts::on_run)
        .post_in_scope("/api/v1/runs/{id}/acknowledge", Acknowledge, api_acts::on_run)
}

/// Every route with what it demands.
pub fn route_rules() -> Vec<RouteRule> {
    table().rules()
}

/// The routes of the pages and the API, open to those whom the gate lets in.
pub fn routes(site: Arc<Site>, gate: Gate) -> Router {
    let gate = Arc::new(gate);
    let guard = move |request: Request, next: Next| {
        let gate = Arc::clone(&gate);
        async move {
            let (mut head, body) = request.into_parts();
            let caller = match gate.caller(&head).await {
                Ok(caller) => caller,
                Err(refused) => return answered(&head.uri, refused),
            };
            if let Some(caller) = &caller {
                head.extensions.insert(caller.clone());
            }
            let request = Request::from_parts(head, body);
            Caller::answering(caller, next.run(request)).await
        }
    };
    let no_page = async |request: Request| answered(request.uri(), Failure::no_page().into());
    let no_method = async |request: Request| answered(request.uri(), Failure::no_method().into());
    table()
        .router()
        .fallback(no_page)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn(guard))
        .layer(map_response(secured))
        .with_state(site)
}
