//! The API's calls about access: who asks, and API tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holdfast_access::{ApiToken, LoginMethod, Permission, Principal, Role, Scope};
use holdfast_control::tokens::{self, TokenRequest};
use holdfast_model::{PolicyName, Timestamp, parse_duration};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::list::List;
use crate::api::once::{ApiRequest, bad};
use crate::caller::Caller;
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Who asks.
#[derive(Serialize, ToSchema)]
pub struct WhoAmI<'a> {
    #[serde(flatten)]
    principal: &'a Principal,
    /// What its role may do.
    permissions: Vec<&'static str>,
    /// When its token ends; `null` for another login.
    expires_at: Option<Timestamp>,
}

/// The body of a request for a token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({ "name": "night", "role": "operator", "expiresIn": "30d" }))]
pub struct NewToken {
    /// Its name: 1 to 64 letters, digits and characters of `-_.`.
    name: String,
    /// What it may do: at most what the caller may.
    role: Role,
    /// When it ends, such as `30d`: 90 days where nothing is given, 366 at most.
    expires_in: Option<String>,
    /// The policies to whose apps its acts are limited; no limit where none is given.
    #[serde(default)]
    policies: Vec<PolicyName>,
}

/// A token that was created, with its text.
#[derive(Serialize, ToSchema)]
pub struct Created<'a> {
    /// The text of the token: a secret, which is shown this once.
    token: &'a str,
    #[serde(flatten)]
    row: &'a ApiToken,
}

/// Who asks
///
/// Name, login, role, policies and permissions of the caller.
#[utoipa::path(get, path = "/api/v1/whoami", tag = "access", responses((status = 200, description = "The caller.", body = WhoAmI<'static>)))]
pub async fn whoami(State(site): State<Arc<Site>>, caller: Caller) -> Result<Response, ApiFailure> {
    let has = |permission: &Permission| caller.principal.may(*permission);
    let permissions = Permission::ALL.into_iter().filter(has).map(Permission::as_str).collect();
    let mut expires_at = None;
    if caller.principal.login == LoginMethod::Token {
        let tokens = site.store().tokens().await.map_err(holdfast_control::Error::from)?;
        let mine = tokens.iter().rfind(|token| token.name == caller.principal.name);
        expires_at = mine.map(|token| token.expires_at);
    }
    Ok(Json(WhoAmI { principal: &caller.principal, permissions, expires_at }).into_response())
}

/// API tokens
///
/// Without their texts.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "access", responses((status = 200, description = "The tokens.", body = List<ApiToken>)))]
pub async fn list(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let tokens = site.store().tokens().await.map_err(holdfast_control::Error::from).map_err(Failure::from)?;
    Ok(Json(List { as_of: site.now().await?, count: None, value: tokens, next_link: None }).into_response())
}

/// Create a token
///
/// The answer has the text of the token, which is shown this once.
#[utoipa::path(
    post, path = "/api/v1/tokens", operation_id = "create_token", tag = "access", request_body = NewToken,
    responses((status = 201, description = "The token.", body = Created<'static>)),
    extensions(("x-codes" = json!(["invalid", "conflict", "refused", "no_randomness"])))
)]
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

/// Revoke a token
///
/// Ends its sessions too, within five seconds.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{name}", operation_id = "revoke_token", tag = "access",
    params(("name" = String, Path, description = "The name of the token.")),
    responses((status = 200, description = "The revoked token.", body = ApiToken)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "not_found", "conflict"])))
)]
pub async fn revoke(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, ApiFailure> {
    let mut rng = site.rng()?;
    let token = tokens::revoke(site.store(), &name, caller.actor, &mut rng).await.map_err(Failure::from)?;
    site.signal();
    Ok(Json(token).into_response())
}
