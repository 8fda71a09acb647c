//! The API's calls about access: who asks, and API tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holdfast_access::{ApiToken, Permission, Principal, Role, Scope};
use holdfast_control::tokens::{self, TokenRequest};
use holdfast_model::{PolicyName, parse_duration};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api_once::{ApiRequest, bad};
use crate::caller::Caller;
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Who asks.
#[derive(Serialize)]
struct WhoAmI<'a> {
    #[serde(flatten)]
    principal: &'a Principal,
    permissions: Vec<&'static str>,
}

/// The body of a request for a token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewToken {
    name: String,
    role: Role,
    expires_in: Option<String>,
    #[serde(default)]
    policies: Vec<PolicyName>,
}

/// A token that was created, with its text.
#[derive(Serialize)]
struct Created<'a> {
    token: &'a str,
    #[serde(flatten)]
    row: &'a ApiToken,
}

/// `GET /api/v1/whoami`
pub async fn whoami(caller: Caller) -> Response {
    let has = |permission: &Permission| caller.principal.may(*permission);
    let permissions = Permission::ALL.into_iter().filter(has).map(Permission::as_str).collect();
    Json(WhoAmI { principal: &caller.principal, permissions }).into_response()
}

/// `GET /api/v1/tokens`
pub async fn list(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let tokens = site.store().tokens().await.map_err(holdfast_control::Error::from).map_err(Failure::from)?;
    Ok(Json(json!({ "value": tokens })).into_response())
}

/// `POST /api/v1/tokens`
pub async fn create(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NewToken { name, role, expires_in, policies } = request.json()?;
    let caller = request.caller;
    let life = match expires_in.as_deref().map(parse_duration) {
        None => tokens::USUAL_LIFE,
        Some(Ok(life)) => life,
        Some(Err(error)) => {
            return Err(bad(format!("expiresIn cannot be read: {error}.")).into());
        }
    };
    let request = TokenRequest { name, role, scope: Scope::of(policies), life, actor: caller.actor };
    let (bits, mut rng) = (site.logins.random_bits()?, site.rng()?);
    let created = tokens::create(site.store(), request, Some(&caller.principal), bits, &mut rng);
    let created = created.await.map_err(Failure::from)?;
    let answer = Created { token: created.text.expose(), row: &created.token };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// `DELETE /api/v1/tokens/{name}`
pub async fn revoke(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, ApiFailure> {
    let mut rng = site.rng()?;
    tokens::revoke(site.store(), &name, caller.actor, &mut rng).await.map_err(Failure::from)?;
    site.signal();
    Ok(StatusCode::NO_CONTENT.into_response())
}
