//! The code and message of an error response, and whether it is Azure's.

use reqwest::header::HeaderMap;

use crate::TransportResponse;
use crate::wire::{json_body, text};

/// The headers with which ARM marks every response (recordings).
const REQUEST_IDS: [&str; 2] = ["x-ms-request-id", "x-ms-correlation-request-id"];

/// The code and message of an error response, from either of Azure's two envelopes.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    /// Whether it is ARM's `{"error": …}` and not the App Service provider's bare one.
    pub(crate) by_arm: bool,
}

impl Envelope {
    /// Reads `{"error": {"code", "message"}}` and `{"Code", "Message"}`, in any mixture of cases.
    pub(crate) fn read(body: &[u8]) -> Self {
        let Ok(body) = json_body(body) else { return Self::default() };
        let by_arm = body["error"].is_object();
        let error = if by_arm { &body["error"] } else { &body };
        let field = |lower, upper| text(error, lower).or_else(|| text(error, upper)).map(str::to_owned);
        Self { code: field("code", "Code"), message: field("message", "Message"), by_arm }
    }

    /// Whether the body is one of the two envelopes. ARM's always has a code, the provider's a code and a message.
    pub(crate) fn is_whole(&self) -> bool {
        self.code.is_some() && (self.by_arm || self.message.is_some())
    }
}

/// Whether Azure itself refused: its error is in one of its envelopes, under one of its request ids.
///
/// Anything else, such as an HTML page, comes from a gateway or proxy. The request may have reached Azure all the same.
pub(crate) fn is_azures_refusal(response: &TransportResponse) -> bool {
    has_request_id(&response.headers) && Envelope::read(&response.body).is_whole()
}

/// Whether one of Azure's request ids is among the headers.
pub(crate) fn has_request_id(headers: &HeaderMap) -> bool {
    REQUEST_IDS.iter().any(|name| headers.contains_key(*name))
}
