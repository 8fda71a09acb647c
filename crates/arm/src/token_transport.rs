//! The HTTP client of `azure_identity`, whose answers are read here first.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, AsyncResponseBody, HttpClient, Method, Request};
use holdfast_model::{Clock, SystemClock};
use secrecy::zeroize::Zeroizing;

use crate::TokenError;
use crate::token_answer::{self, TOKEN_ANSWER_BYTES_MAX, TokenService};

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
        let body = read(body).await?;
        match token_answer::read(service, u16::from(status), &body, self.clock.now()) {
            Ok(Some(token)) => Ok(AsyncRawResponse::from_bytes(status, headers, token)),
            Ok(None) => Ok(AsyncRawResponse::from_bytes(status, headers, body.to_vec())),
            Err(error) => {
                let text = error.to_string();
                Err(azure_core::Error::with_error(ErrorKind::Credential, error, text))
            }
        }
    }
}

/// Reads the body, up to the largest size that is accepted. It is wiped from memory afterwards, as it may be a token.
async fn read(body: AsyncResponseBody) -> azure_core::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; TOKEN_ANSWER_BYTES_MAX]);
    match body.collect_into(&mut buffer).await {
        Ok(length) => {
            buffer.truncate(length);
            Ok(buffer)
        }
        Err(error) if error.to_string().contains("too small") => {
            let what = format!("the token service's answer is larger than {TOKEN_ANSWER_BYTES_MAX} bytes");
            let error = TokenError::new(&what);
            Err(azure_core::Error::with_error(ErrorKind::Credential, error, what))
        }
        Err(error) => Err(error),
    }
}

impl fmt::Debug for TokenTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenTransport").field("inner", &self.inner).finish_non_exhaustive()
    }
}
