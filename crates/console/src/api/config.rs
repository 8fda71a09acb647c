//! The check of a fleet file that is sent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use holdfast_control::fleet_check::{FleetCheck, check_fleet};
use holdfast_control::revisions::FleetText;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::once::ApiRequest;
use crate::failure::ApiFailure;
use crate::site::Site;

/// Characters of a file's name that problems repeat.
const NAME_CHARS: usize = 200;

/// The text of a fleet file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "fleet.toml", "text": "[azure]\n…" }))]
pub struct SentFleet {
    /// The name of the file in problems; `text` where none is given.
    name: Option<String>,
    /// The text. It refers to secrets, and has none.
    text: String,
}

/// Check a fleet file
///
/// Every error and warning of the text, which is not kept. References to secrets are not read: neither those of this server nor others.
#[utoipa::path(
    post, path = "/api/v1/config/check", operation_id = "check_config", tag = "fleet", request_body = SentFleet,
    responses((status = 200, description = "What was found.", body = FleetCheck))
)]
pub async fn check(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let SentFleet { name, text } = request.json()?;
    Ok(Json(check_fleet(&sent(name.as_deref(), text), site.now().await?)).into_response())
}

/// A text under the name that was sent with it.
pub fn sent(name: Option<&str>, text: String) -> FleetText {
    FleetText { name: name.unwrap_or("text").chars().take(NAME_CHARS).collect(), text }
}
