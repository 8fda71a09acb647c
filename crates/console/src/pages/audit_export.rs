//! `GET /audit/export`: the signed export as one file.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream;
use holdfast_control::audit::{ExportFilter, ExportPart, PartPlace};
use tokio::sync::OwnedSemaphorePermit;

use crate::audit_export::{filter_of, part};
use crate::backup_request::SentForm;
use crate::downloads::Download;
use crate::failure::Failure;
use crate::site::Site;

/// The parts that follow the first.
struct Rest {
    site: Arc<Site>,
    filter: ExportFilter,
    /// The part that is sent next.
    made: Option<String>,
    next: Option<PartPlace>,
    _permit: OwnedSemaphorePermit,
}

/// Serves the parts of the export one after the other. A part that fails breaks the answer off, and the file says so.
pub async fn export(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let filter = filter_of(&SentForm::read(&query.unwrap_or_default()))?;
    let permit = Arc::clone(&site.exports).try_acquire_owned().map_err(|_| Failure::under_way())?;
    let ExportPart { text, next } = part(&site, &filter, None).await?;
    let rest = Rest { site, filter, made: Some(text), next, _permit: permit };
    let parts = stream::try_unfold(rest, |mut rest| async move {
        let Some(text) = rest.made.take() else { return Ok::<_, axum::Error>(None) };
        if let Some(place) = rest.next.take() {
            let made = part(&rest.site, &rest.filter, Some(place)).await;
            let ExportPart { text, next } = made.map_err(|failure| {
                tracing::warn!(why = failure.detail, "an export of the audit broke off");
                axum::Error::new(failure.detail)
            })?;
            (rest.made, rest.next) = (Some(text), next);
        }
        Ok(Some((Bytes::from(text), rest)))
    });
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    ];
    Ok((Extension(Download), headers, Body::from_stream(parts)).into_response())
}
