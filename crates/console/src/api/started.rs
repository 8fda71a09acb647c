//! Answers to requests that add runs which are no backups.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use holdfast_control::{AddedRuns, counted};
use holdfast_model::{AppId, format_timestamp};
use holdfast_store::Approval;
use url::form_urlencoded::byte_serialize;

use crate::done::{ActDone, Work};
use crate::failure::Failure;

/// What a request has started.
pub fn starts(app: &AppId, added: &AddedRuns, sentence: &str) -> ActDone {
    let left_out = match added.under_way {
        0 => String::new(),
        count => format!(" {} left out, because the same is under way.", counted(count, "run")),
    };
    let detail = format!("A worker takes the runs as Azure's budget allows.{left_out}");
    let run = added.ids.first().copied().filter(|_| added.ids.len() == 1);
    let (runs, under_way) = (added.ids.clone(), added.under_way);
    ActDone { run, runs, under_way, ..ActDone::new(app.clone(), sentence, detail) }
}

/// What a request asks a second person for.
pub fn asks(approval: &Approval, what: &str) -> ActDone {
    let detail =
        format!("Nothing is done yet. The request expires at {}.", format_timestamp(approval.expires_at));
    let sentence = format!("A second person must confirm the {what}.");
    ActDone { approval: Some(approval.id), ..ActDone::new(approval.app.clone(), sentence, detail) }
}

/// 202, with the address of the run, or of the unfinished runs of the app.
pub fn started(work: &Work) -> Result<Response, Failure> {
    let Work::Act(done) = work else { return Err(Failure::no_result()) };
    let all = || {
        let app: String = byte_serialize(done.app.to_string().as_bytes()).collect();
        format!("/api/v1/runs?unfinished=1&app={app}")
    };
    let location = match (done.run, done.approval) {
        (Some(run), _) => format!("/api/v1/runs/{run}"),
        (None, Some(approval)) => format!("/api/v1/approvals/{approval}"),
        (None, None) => all(),
    };
    let headers = [(HeaderName::from_static("operation-location"), location), (RETRY_AFTER, "5".to_owned())];
    Ok((StatusCode::ACCEPTED, headers, Json(done)).into_response())
}
