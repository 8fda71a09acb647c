//! The HTTP client of `azure_identity`, whose answers are read here first.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request};
use holdfast_model::{Clock, SystemClock};

use crate::token_answer::{self, TokenService};

/// Sends the requests for tokens, and replaces the answers by what they mean.
pub(crate) struct TokenTransport {
    inner: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
}

impl TokenTransport {
    /// A transport over another one, on the system's clock, which `azure_identity` reads too.
    pub(crate) fn new(inner: Arc<dyn HttpClient>) -> Self {
        Self { inner, clock: Arc::new(SystemClock::default()) }
    }
}

#[async_trait]
impl HttpClient for TokenTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        // Entra takes POST alone, and the endpoints of managed identities take GET alone.
        let service = match request.method() {
            Method::Post => TokenService::Entra,
            _ => TokenService::ManagedIdentity,
        };
        let (status, headers, body) = self.inner.execute_request(request).await?.deconstruct();
        let body = body.collect().await?;
        match token_answer::read(service, u16::from(status), &body, self.clock.now()) {
            Ok(Some(token)) => Ok(AsyncRawResponse::from_bytes(status, headers, token)),
            Ok(None) => Ok(AsyncRawResponse::from_bytes(status, headers, body)),
            Err(error) => {
                let text = error.to_string();
                Err(azure_core::Error::with_error(ErrorKind::Credential, error, text))
            }
        }
    }
}

impl fmt::Debug for TokenTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenTransport").field("inner", &self.inner).finish_non_exhaustive()
    }
}
