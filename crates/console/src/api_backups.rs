//! `POST /api/v1/backups`: backs up apps now.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use holdfast_control::views::actions::{BackupsStarted, Selection};
use holdfast_control::views::fleet::FleetQuery;
use serde::Deserialize;

use crate::backup_request::carry_out;
use crate::caller::Caller;
use crate::failure::{ApiFailure, Failure};
use crate::forms::Claim;
use crate::site::{NamedApp, Site};

/// The longest key of a request.
const KEY_MAX: usize = 200;

/// The body of a request: apps, or a query with the number of apps that it matches.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default)]
    apps: Vec<String>,
    query: Option<String>,
    count: Option<usize>,
}

/// Backs up apps now. With the header `Idempotency-Key`, a request that is sent again is answered and does nothing.
pub async fn start(
    State(site): State<Arc<Site>>,
    caller: Caller,
    headers: HeaderMap,
    body: String,
) -> Result<Response, ApiFailure> {
    if !is_json(&headers) {
        let detail = "The body must be JSON, with Content-Type: application/json.";
        let kind = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Failure::new(kind, "unsupported_media_type", "Not JSON", detail).into());
    }
    let request: Body =
        serde_json::from_str(&body).map_err(|error| bad(format!("The body cannot be read: {error}.")))?;
    let selection = selection(&site, &request).await?;
    let claim = match key(&headers)? {
        Some(key) => site.forms.claim_key(&caller.binding, &key),
        None => site
            .forms
            .issue(&caller.binding)
            .map_or(Claim::Unknown, |token| site.forms.claim(&caller.binding, &token)),
    };
    let done = match claim {
        Claim::Act(permit) => carry_out(&site, (permit, caller), selection, body.clone()).await?,
        Claim::Done(id) => site.forms.result(&id).ok_or_else(Failure::no_result)?,
        Claim::UnderWay => return Err(Failure::under_way().into()),
        Claim::Unknown => return Err(Failure::store_away().into()),
    };
    if done.fingerprint != body {
        let detail = "The key was used for another request.";
        let kind = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Failure::new(kind, "idempotency_key_reused", "The key is taken", detail).into());
    }
    Ok(accepted(&done.started))
}

fn accepted(started: &BackupsStarted) -> Response {
    let location = match started.runs.as_slice() {
        [one] => format!("/api/v1/runs/{one}"),
        _ => "/api/v1/runs?unfinished=1".to_owned(),
    };
    let headers = [(HeaderName::from_static("operation-location"), location), (RETRY_AFTER, "5".to_owned())];
    (StatusCode::ACCEPTED, headers, Json(started)).into_response()
}

async fn selection(site: &Site, request: &Body) -> Result<Selection, Failure> {
    match (&request.query, request.count) {
        (Some(query), Some(count)) if request.apps.is_empty() => {
            let query = FleetQuery { after: None, ..FleetQuery::from_url(query)? };
            Ok(Selection::Matching { query, count })
        }
        (None, None) if !request.apps.is_empty() => {
            let mut apps = BTreeSet::new();
            for name in &request.apps {
                match site.named(name).await? {
                    NamedApp::One(id) => apps.insert(id),
                    NamedApp::Several(ids) => return Err(Failure::several(name, &ids)),
                };
            }
            Ok(Selection::Apps(apps))
        }
        _ => Err(bad("Give either apps, or a query with the count of apps that it matches.")),
    }
}

fn bad(detail: impl Into<String>) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "invalid_body", "The request cannot be read", detail)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_MAX);
    key.map(|key| Some(key.to_owned())).ok_or_else(|| bad("The header Idempotency-Key cannot be read."))
}
