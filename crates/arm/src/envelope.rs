//! The code and message of an error response.

use serde_json::Value;

use crate::wire::text;

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
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return Self::default() };
        let by_arm = body["error"].is_object();
        let error = if by_arm { &body["error"] } else { &body };
        let field = |lower, upper| text(error, lower).or_else(|| text(error, upper)).map(str::to_owned);
        Self { code: field("code", "Code"), message: field("message", "Message"), by_arm }
    }
}
