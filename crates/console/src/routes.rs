//! The routes of the pages and the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::assets::asset;
use crate::failure::Failure;
use crate::headers::secured;
use crate::local_mode::Access;
use crate::pages;
use crate::site::Site;
use crate::{api, api_backups};

/// The greatest body of a request. A page of selected apps is far smaller.
const BODY_BYTES: usize = 256 * 1024;

/// The routes of the pages and the API, open to those whom `access` lets in.
pub fn routes(site: Arc<Site>, access: Access) -> Router {
    let guard = move |request: Request, next: Next| async move {
        match access.refusal(request.method(), request.headers()) {
            Some(why) => answered(&request, Failure::forbidden(why)),
            None => next.run(request).await,
        }
    };
    Router::new()
        .route("/", get(pages::overview))
        .route("/fleet", get(pages::fleet))
        .route("/fleet.csv", get(pages::export::csv))
        .route("/fleet.json", get(pages::export::json))
        .route("/apps/{*name}", get(pages::app))
        .route("/activity", get(pages::activity))
        .route("/runs/{id}", get(pages::run))
        .route("/capacity", get(pages::capacity))
        .route("/audit", get(pages::audit))
        .route("/backups/preview", post(pages::backups::preview))
        .route("/backups", post(pages::backups::start))
        .route("/backups/{id}", get(pages::backups::result))
        .route("/static/{name}", get(asset))
        .nest("/api/v1", api())
        .fallback(async |request: Request| answered(&request, Failure::no_page()))
        .method_not_allowed_fallback(async |request: Request| answered(&request, Failure::no_method()))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn(guard))
        .layer(map_response(secured))
        .with_state(site)
}

fn api() -> Router<Arc<Site>> {
    Router::new()
        .route("/overview", get(api::overview))
        .route("/apps", get(api::apps))
        .route("/apps/{*name}", get(api::app))
        .route("/runs", get(api::runs))
        .route("/runs/{id}", get(api::run))
        .route("/audit", get(api::audit))
        .route("/backups", post(api_backups::start))
}

/// The failure as the client wants it: a problem document for the API, else a page.
fn answered(request: &Request, failure: Failure) -> Response {
    if request.uri().path().starts_with("/api/") { failure.problem() } else { failure.into_response() }
}
