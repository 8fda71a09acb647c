//! The revisions of the fleet: those there are, and a new one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holdfast_control::revisions::{self, FleetText, Order, Proposal, RevisionView};
use holdfast_store::RevisionHead;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::list::All;
use crate::api::once::ApiRequest;
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// The name of a text in its problems.
const NAME: &str = "text";

/// The body of a request for a revision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({ "text": "[azure]\n…", "reason": "release", "dryRun": true }))]
pub struct NewRevision {
    /// The text of the fleet file. It refers to secrets, and has none.
    text: String,
    /// Why, for the audit.
    #[serde(default)]
    reason: String,
    /// How many apps may leave the fleet or their policy.
    #[serde(default)]
    allow_removals: usize,
    /// Whether only to answer what would change.
    #[serde(default)]
    dry_run: bool,
}

/// What a text changes, and the revision that it became.
#[derive(Serialize, ToSchema)]
pub struct Applied<'a> {
    #[serde(flatten)]
    proposal: &'a Proposal,
    /// The new revision; `null` where none was made.
    revision: Option<RevisionHead>,
}

/// List the revisions of the fleet
///
/// The newest first, without their texts.
#[utoipa::path(get, path = "/api/v1/revisions", operation_id = "list_revisions", tag = "fleet", responses((status = 200, description = "The revisions.", body = All<RevisionHead>)))]
pub async fn list(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let value = revisions::list(site.store()).await.map_err(Failure::from)?;
    Ok(Json(All { value }).into_response())
}

/// Show a revision of the fleet
///
/// With the text of its fleet file.
#[utoipa::path(
    get, path = "/api/v1/revisions/{number}", operation_id = "show_revision", tag = "fleet",
    params(("number" = u64, Path, description = "The number of the revision.")),
    responses((status = 200, description = "The revision.", body = RevisionView)),
    extensions(("x-codes" = json!(["invalid_query", "not_found"])))
)]
pub async fn show(State(site): State<Arc<Site>>, Path(number): Path<String>) -> Result<Response, ApiFailure> {
    let wrong = |_| Failure::bad_query(format!("{number} is no number of a revision."));
    let number: u64 = number.parse().map_err(wrong)?;
    Ok(Json(revisions::show(site.store(), number).await.map_err(Failure::from)?).into_response())
}

/// Make a revision of the fleet
///
/// Every process takes it up within seconds. A text that is in force changes nothing. Where apps would leave the fleet or their policy,
/// `allowRemovals` must allow as many.
#[utoipa::path(
    post, path = "/api/v1/revisions", operation_id = "apply_revision", tag = "fleet", request_body = NewRevision,
    responses(
        (status = 200, description = "What would change, or that the text is in force already.", body = Applied<'static>),
        (status = 201, description = "The new revision, and what it changes.", body = Applied<'static>),
    ),
    extensions(("x-codes" = json!(["invalid", "conflict", "refused", "no_randomness"])))
)]
pub async fn apply(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NewRevision { text, reason, allow_removals, dry_run } = request.json()?;
    let text = FleetText { name: NAME.to_owned(), text };
    let proposal = site.azure().propose_revision(text).await.map_err(Failure::from)?;
    if dry_run || proposal.is_in_force {
        return Ok(Json(Applied { proposal: &proposal, revision: None }).into_response());
    }
    let order = Order { actor: request.caller.actor, reason, allowed_removals: allow_removals };
    let head = proposal.append(site.store(), &order, &mut site.rng()?).await.map_err(Failure::from)?;
    let answer = Applied { proposal: &proposal, revision: Some(head) };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}
