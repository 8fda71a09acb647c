//! Dead letters: messages that the broker or a worker refused.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use holdfast_control::dead_letters::{self, LetterView, Settlement, ShownLetter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::list::All;
use crate::api::once::{ApiRequest, bad};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Which dead letters.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "letter": "5b1c9e0f2a7d4c63" }))]
pub struct SomeLetters {
    /// The letters with this id.
    letter: Option<String>,
    /// All of them.
    #[serde(default)]
    all: bool,
}

/// How many letters were settled.
#[derive(Serialize, ToSchema)]
pub struct Settled {
    /// Their number.
    letters: usize,
}

/// List dead letters
///
/// The oldest first, 1,000 at most. Only a broker keeps some.
#[utoipa::path(
    get, path = "/api/v1/dead-letters", operation_id = "list_dead_letters", tag = "queue",
    responses((status = 200, description = "The letters.", body = All<LetterView>)),
    extensions(("x-codes" = json!(["invalid", "broker_unavailable"])))
)]
pub async fn list(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let value = site.letters()?.list().await.map_err(Failure::from)?;
    Ok(Json(All { value }).into_response())
}

/// Show a dead letter
///
/// With 64 KiB of its body at most, which is untrusted.
#[utoipa::path(
    get, path = "/api/v1/dead-letters/{id}", operation_id = "show_dead_letter", tag = "queue",
    params(("id" = String, Path, description = "The id of the letter.")),
    responses((status = 200, description = "The letter.", body = ShownLetter)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "not_found", "broker_unavailable"])))
)]
pub async fn show(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, ApiFailure> {
    Ok(Json(dead_letters::show(site.letters()?, &id).await.map_err(Failure::from)?).into_response())
}

/// Send dead letters again
///
/// A letter that the broker does not take stays. The audit records who asks before anything is sent.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/retry", operation_id = "retry_dead_letters", tag = "queue", request_body = SomeLetters,
    responses((status = 200, description = "How many were sent.", body = Settled)),
    extensions(("x-codes" = json!(["invalid", "broker_unavailable", "no_randomness"])))
)]
pub async fn retry(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    settle(&site, Settlement::Retry, &request).await
}

/// Remove dead letters
///
/// Their runs become due again by themselves. The audit records who asks before anything is removed.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/drop", operation_id = "drop_dead_letters", tag = "queue", request_body = SomeLetters,
    responses((status = 200, description = "How many were removed.", body = Settled)),
    extensions(("x-codes" = json!(["invalid", "broker_unavailable", "no_randomness"])))
)]
pub async fn remove(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    settle(&site, Settlement::Drop, &request).await
}

async fn settle(site: &Site, settlement: Settlement, request: &ApiRequest) -> Result<Response, ApiFailure> {
    let SomeLetters { letter, all } = request.json()?;
    if letter.is_some() == all {
        return Err(bad("Expected the id of a letter, or `all`.").into());
    }
    let (of, what) = ((site.letters()?, site.store()), (settlement, letter.as_deref()));
    let actor = request.caller.actor.clone();
    let letters = dead_letters::settle(of, what, actor, &mut site.rng()?).await.map_err(Failure::from)?;
    Ok(Json(Settled { letters }).into_response())
}
