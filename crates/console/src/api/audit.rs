//! The audit: verified, anchored by checkpoints, and exported.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use holdfast_control::audit::{
    AuditCheck, CheckpointReport, Continuity, PartPlace, StoredChain, compare_rows, event_hash, verify,
};
use holdfast_model::Timestamp;
use holdfast_store::CheckpointStatus;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::list::All;
use crate::api::named::{given, named};
use crate::api::once::ApiRequest;
use crate::audit_export::{filter_of, part};
use crate::failure::{ApiFailure, Failure};
use crate::operations::{Look, NewOperation, State as OperationState};
use crate::site::Site;

/// The body of a request for a verification of the audit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct NewAuditCheck {
    /// The last hash that an earlier verification answered: only with it are events missed that were removed at the end.
    since: Option<String>,
}

/// A verification of the audit.
#[derive(Serialize, ToSchema)]
pub struct AuditVerification<'a> {
    /// Its id.
    id: &'a str,
    /// `under_way`, `done` or `failed`.
    status: &'static str,
    /// When it was begun.
    begun_at: Timestamp,
    /// What was found; `null` before the end.
    check: Option<&'a AuditCheck>,
    /// Why it failed, which says nothing about the audit.
    error: Option<&'a str>,
}

/// The body of a request for a checkpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({}))]
pub struct NewCheckpoint {
    /// Whether an audit is signed that does not continue the last checkpoint: the store was restored from a copy.
    #[serde(default)]
    after_restore: bool,
}

/// Verify the audit
///
/// Follows the chain from its first event to its last, and compares the rows with the events. The process does one at a time; the same
/// request again leads to the one under way.
#[utoipa::path(
    post, path = "/api/v1/audit/verifications", operation_id = "verify_audit", tag = "audit", request_body = NewAuditCheck,
    responses((status = 202, description = "The verification, whose address is in `Operation-Location`.", body = AuditVerification<'static>)),
    extensions(("x-codes" = json!(["invalid", "under_way", "no_such_result", "no_randomness"])))
)]
pub async fn begin(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NewAuditCheck { since } = request.json()?;
    let since = since.as_deref().map(event_hash).transpose().map_err(Failure::from)?;
    let (store, what) = (site.shared_store(), since.clone().unwrap_or_default());
    let work = |_| async move {
        let mut check = verify(&mut StoredChain(&*store), since.as_deref(), None).await?;
        compare_rows(&mut check, &*store).await?;
        Ok(check)
    };
    let new = NewOperation { id: site.new_id()?, owner: String::new(), what };
    let id = site.audits.begin(new, work).await?;
    let look = site.audits.look(&id).await?;
    let location = format!("/api/v1/audit/verifications/{id}");
    let headers = [(HeaderName::from_static("operation-location"), location), (RETRY_AFTER, "2".to_owned())];
    Ok((StatusCode::ACCEPTED, headers, Json(AuditVerification::of(&id, &look))).into_response())
}

/// How far a verification of the audit is
///
/// Every process knows it, until an hour after its end.
#[utoipa::path(
    get, path = "/api/v1/audit/verifications/{id}", operation_id = "show_audit_verification", tag = "audit",
    params(("id" = String, Path, description = "The id of the verification.")),
    responses((status = 200, description = "The verification.", body = AuditVerification<'static>)),
    extensions(("x-codes" = json!(["invalid_query", "no_such_result"])))
)]
pub async fn look(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, ApiFailure> {
    Ok(Json(AuditVerification::of(&id, &site.audits.look(&id).await?)).into_response())
}

impl<'a> AuditVerification<'a> {
    fn of(id: &'a str, look: &'a Look<AuditCheck>) -> Self {
        let (status, check, error) = match &look.state {
            OperationState::UnderWay => ("under_way", None, None),
            OperationState::Done(check) => ("done", Some(check), None),
            OperationState::Failed(failure) => ("failed", None, Some(failure.detail.as_str())),
        };
        Self { id, status, begun_at: look.begun_at, check, error }
    }
}

/// List where checkpoints are written
///
/// The state of signed checkpoints by destination, each with the last checkpoint written there.
#[utoipa::path(
    get, path = "/api/v1/audit/checkpoints", operation_id = "list_checkpoints", tag = "audit",
    responses((status = 200, description = "The destinations.", body = All<CheckpointStatus>))
)]
pub async fn checkpoints(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let value = site.store().checkpoints().await.map_err(holdfast_control::Error::from);
    Ok(Json(All { value: value.map_err(Failure::from)? }).into_response())
}

/// Sign a checkpoint
///
/// Signs the end of the audit now, and writes it to every destination of the fleet file. The audit records who asks first.
#[utoipa::path(
    post, path = "/api/v1/audit/checkpoints", operation_id = "sign_checkpoint", tag = "audit", request_body = NewCheckpoint,
    responses((status = 200, description = "What was signed, where it was written and where not.", body = CheckpointReport)),
    extensions(("x-codes" = json!(["invalid", "refused", "no_randomness"])))
)]
pub async fn sign(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NewCheckpoint { after_restore } = request.json()?;
    let continuity = if after_restore { Continuity::AfterRestore } else { Continuity::Required };
    let signed = site.azure().checkpoint(&request.caller.actor, continuity, site.rng()?).await;
    site.expire();
    Ok(Json(signed.map_err(Failure::from)?).into_response())
}

/// Export events with a signature
///
/// One part: events as lines of JSON, and a line that signs them by the key of the fleet file's `[audit]`. Where its member `ends` is false,
/// the next part begins `after` the event `seq` that it names, whose hash is `previous` then. `holdfast audit verify-export` verifies the
/// parts one after the other, without a server.
#[utoipa::path(
    get, path = "/api/v1/audit/export", operation_id = "export_audit", tag = "audit",
    params(
        ("acts" = Option<u8>, Query, description = "1 for what people did alone; without a filter the export has every event."),
        ("person" = Option<String>, Query, description = "Only this person, by the claimed name."),
        ("app" = Option<String>, Query, description = "Only this app, by ARM id."),
        ("kind" = Option<String>, Query, description = "Only this kind of act."),
        ("after" = Option<i64>, Query, description = "The number of the event that the part before ended with."),
        ("previous" = Option<String>, Query, description = "The hash of that event."),
    ),
    responses((status = 200, description = "Lines of JSON (`application/x-ndjson`).", body = String, content_type = "application/x-ndjson")),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "refused", "under_way"])))
)]
pub async fn export(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let sent = given(query);
    let filter = filter_of(&sent)?;
    let wrong = |_| Failure::bad_query("`after` is no number of an event.");
    let after: Option<i64> = named(&sent, "after").map(str::parse).transpose().map_err(wrong)?;
    let place = after.map(|after| PartPlace { after, previous: sent.value("previous").to_owned() });
    let _permit = site.exports.try_acquire().map_err(|_| Failure::under_way())?;
    let part = part(&site, &filter, place).await?;
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], part.text).into_response())
}
