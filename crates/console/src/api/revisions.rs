//! The revisions of the fleet: those there are, and a new one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holdfast_control::revisions::{self, Change, FleetDiff, Order, Proposal, RevisionHead, RevisionView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::config::sent;
use crate::api::list::List;
use crate::api::named::given;
use crate::api::once::{ApiRequest, bad};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// The body of a request for a revision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({ "text": "[azure]\n…", "reason": "release", "dryRun": true }))]
pub struct NewRevision {
    /// The text of the fleet file. It refers to secrets, and has none.
    text: Option<String>,
    /// In place of a text, the number of an earlier revision, whose text is made the newest again.
    rollback_to: Option<u64>,
    /// The name of the file in problems; `text` where none is given.
    name: Option<String>,
    /// Why, for the audit.
    #[serde(default)]
    reason: String,
    /// How many apps may leave the fleet or their policy.
    #[serde(default)]
    allow_removals: usize,
    /// The newest revision that the change was shown against, 0 for none: where another was made meanwhile, nothing is done.
    replaces: Option<u64>,
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
#[utoipa::path(get, path = "/api/v1/revisions", operation_id = "list_revisions", tag = "fleet", responses((status = 200, description = "The revisions.", body = List<RevisionHead>)))]
pub async fn list(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let value = revisions::list(site.store()).await.map_err(Failure::from)?;
    Ok(Json(List { as_of: site.now().await?, count: None, value, next_link: None }).into_response())
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
    Ok(Json(revisions::show(site.store(), number_of(&number)?).await.map_err(Failure::from)?).into_response())
}

/// Compare two revisions of the fleet
///
/// What the revision changes beside another, for the apps that the store knows.
#[utoipa::path(
    get, path = "/api/v1/revisions/{number}/changes", operation_id = "compare_revisions", tag = "fleet",
    params(
        ("number" = u64, Path, description = "The number of the revision."),
        ("from" = u64, Query, description = "The number of the one before."),
    ),
    responses((status = 200, description = "What changes.", body = FleetDiff)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "not_found", "refused"])))
)]
pub async fn changes(
    State(site): State<Arc<Site>>,
    Path(number): Path<String>,
    query: RawQuery,
) -> Result<Response, ApiFailure> {
    let (from, to) = (number_of(given(query).value("from"))?, number_of(&number)?);
    Ok(Json(revisions::compare(site.store(), from, to).await.map_err(Failure::from)?).into_response())
}

/// Make a revision of the fleet
///
/// Every process takes it up within seconds. A text that is in force changes nothing. Where apps would leave the fleet or their policy,
/// `allowRemovals` must allow as many. A text whose secrets the server cannot read is refused.
#[utoipa::path(
    post, path = "/api/v1/revisions", operation_id = "apply_revision", tag = "fleet", request_body = NewRevision,
    responses(
        (status = 200, description = "What would change, or that the text is in force already.", body = Applied<'static>),
        (status = 201, description = "The new revision, and what it changes.", body = Applied<'static>),
    ),
    extensions(("x-codes" = json!(["invalid", "not_found", "conflict", "refused", "no_randomness"])))
)]
pub async fn apply(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NewRevision { text, rollback_to, name, reason, allow_removals, replaces, dry_run } =
        request.json()?;
    let change = match (text, rollback_to) {
        (Some(text), None) => Change::Text(sent(name.as_deref(), text)),
        (None, Some(number)) => Change::Rollback(number),
        _ => return Err(bad("The body has either `text` or `rollbackTo`.").into()),
    };
    let proposal = site.azure().propose_revision(change).await.map_err(Failure::from)?;
    if let Some(seen) = replaces {
        proposal.check_replaces(seen).map_err(Failure::from)?;
    }
    if dry_run || proposal.is_in_force {
        return Ok(Json(Applied { proposal: &proposal, revision: None }).into_response());
    }
    let order = Order { actor: request.caller.actor, reason, allowed_removals: allow_removals };
    let head = proposal.append(site.store(), &order, &mut site.rng()?).await.map_err(Failure::from)?;
    let answer = Applied { proposal: &proposal, revision: Some(head) };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

fn number_of(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| Failure::bad_query(format!("\"{text}\" is no number of a revision.")))
}
