//! The interface below the client: it sends one request and returns one response.

use std::fmt;

use async_trait::async_trait;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// Sends one request to Azure and receives its response.
///
/// Everything else is above this trait, in [`ArmClient`](crate::ArmClient): URLs, tokens, bodies, pages and the meaning of
/// a response. An implementation sends each request at most once and follows no redirect.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request and reads the response to its end.
    async fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportError>;
}

/// A request, ready to send. It has no `Debug`: its headers and body hold secrets.
pub struct TransportRequest {
    /// The HTTP method.
    pub method: Method,
    /// The full URL.
    pub url: Url,
    /// The headers, for ARM with the bearer token.
    pub headers: HeaderMap,
    /// The body, as the header `Content-Type` says.
    pub body: Option<Vec<u8>>,
    /// The longest body that the client accepts in the response, in bytes. A transport may stop reading beyond it: the
    /// client refuses a longer body.
    pub response_bytes_max: usize,
}

impl TransportRequest {
    /// A request for a JSON document, without a token.
    pub fn document(url: Url, response_bytes_max: usize) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Self { method: Method::GET, url, headers, body: None, response_bytes_max }
    }

    /// A JSON document by POST, without a token.
    pub fn post(url: Url, body: Vec<u8>, response_bytes_max: usize) -> Self {
        let mut request = Self::document(url, response_bytes_max);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { method: Method::POST, body: Some(body), ..request }
    }

    /// With a header, in place of one of its name. A value that no header can have is left out.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// A form, which is answered with a JSON document.
    pub fn form(url: Url, form: &SecretString, response_bytes_max: usize) -> Self {
        let mut request = Self::document(url, response_bytes_max);
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(CONTENT_TYPE, kind);
        let body = Some(form.expose_secret().as_bytes().to_vec());
        Self { method: Method::POST, body, ..request }
    }
}

/// A response, whatever its status.
pub struct TransportResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// A request without a complete response. The texts must hold no secret.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct TransportError {
    pub(crate) reason: String,
    pub(crate) may_have_arrived: bool,
    pub(crate) head: Option<Box<TransportResponse>>,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TransportResponse {
    /// A response without headers.
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }

    /// The id by which Microsoft's support finds the request (header `x-ms-request-id`).
    pub(crate) fn request_id(&self) -> Option<String> {
        self.headers.get("x-ms-request-id")?.to_str().ok().map(str::to_owned)
    }
}

impl TransportError {
    /// A request that certainly never reached Azure, such as one without a connection.
    pub fn not_sent(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), may_have_arrived: false, head: None, source: None }
    }

    /// A request that Azure may have received and carried out.
    pub fn ambiguous(reason: impl Into<String>) -> Self {
        Self { may_have_arrived: true, ..Self::not_sent(reason) }
    }

    /// Whether the server may have received the request.
    pub fn may_have_arrived(&self) -> bool {
        self.may_have_arrived
    }

    /// Adds the status and headers of a response whose body did not arrive whole.
    #[must_use]
    pub fn with_head(mut self, status: u16, headers: HeaderMap) -> Self {
        self.head =
            Some(Box::new(TransportResponse { headers, ..TransportResponse::new(status, Vec::new()) }));
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}

/// Shows no header and no body: both may hold secrets.
impl fmt::Debug for TransportResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
