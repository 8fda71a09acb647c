//! The transport over HTTP, and the HTTP client that it and its siblings use.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Response;
use url::Url;

use crate::cause::innermost;
use crate::{InvalidSettings, Transport, TransportError, TransportRequest, TransportResponse};

/// Sends requests over HTTPS, or over HTTP to this machine.
#[derive(Debug)]
pub(crate) struct HttpTransport {
    http: reqwest::Client,
}

impl HttpTransport {
    /// A transport to a server, with these time limits. It connects when the first request is sent.
    pub(crate) fn new(server: &Url, connect: Duration, call: Duration) -> Result<Self, InvalidSettings> {
        if server.scheme() != "https" && !is_loopback(server) {
            return Err(InvalidSettings::Endpoint(server.clone()));
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(InvalidSettings::NoTlsProvider);
        }
        let builder = client_builder(server).connect_timeout(connect).timeout(call);
        Ok(Self { http: builder.build().map_err(InvalidSettings::Client)? })
    }
}

/// A transport to another server of Azure's than ARM, such as Entra. Each request takes at most `call`.
pub fn http_transport(server: &Url, call: Duration) -> Result<Arc<dyn Transport>, InvalidSettings> {
    Ok(Arc::new(HttpTransport::new(server, call, call)?))
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportError> {
        let mut http = self.http.request(request.method, request.url).headers(request.headers);
        if let Some(body) = request.body {
            http = http.body(body);
        }
        let mut response = http.send().await.map_err(no_response)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        match read_body(&mut response, request.response_bytes_max).await {
            Ok(body) => Ok(TransportResponse { status, headers, body }),
            Err(error) => Err(error.with_head(status, headers)),
        }
    }
}

/// The error of a request without a response. Only a failed connection certainly sent nothing.
fn no_response(error: reqwest::Error) -> TransportError {
    let is_late = error.is_timeout();
    if error.is_connect() || error.is_builder() {
        let what = if is_late { "no connection in time" } else { "no connection" };
        return failed(TransportError::not_sent, what, error);
    }
    let what = if is_late { "no answer in time" } else { "the connection broke before the answer" };
    failed(TransportError::ambiguous, what, error)
}

/// Reads the body, and stops soon after `bytes_max`.
pub(crate) async fn read_body(response: &mut Response, bytes_max: usize) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    while body.len() <= bytes_max {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                let is_late = error.is_timeout();
                let what = if is_late { "the answer did not end in time" } else { "the answer broke off" };
                return Err(failed(TransportError::ambiguous, what, error));
            }
        }
    }
    Ok(body)
}

/// Adds the innermost cause to the text, such as `Connection refused`; the URL is left out of it.
fn failed(kind: fn(String) -> TransportError, what: &str, error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    kind(format!("{what}: {}", innermost(&error))).with_source(error)
}

/// The HTTP client as Holdfast needs it: no redirects, which would carry a POST or a token elsewhere, and no retries.
///
/// Below `retry::never`, hyper's pool has a retry that cannot be turned off from here: it hands a request to another
/// connection when the pooled one was closed. It is safe for a POST. hyper hands the request back only while it waits
/// in the connection's queue and none of it was sent (`message: Some` in hyper 1.12, `proto/h1/dispatch.rs`; never so
/// for HTTP/2 once the stream is opened); from its first byte on it fails instead. A test closes a pooled connection
/// under a POST and counts the requests.
///
/// A server on this machine is the simulator, so no proxy is used for it.
pub(crate) fn client_builder(server: &Url) -> reqwest::ClientBuilder {
    let builder = without_redirects();
    if is_loopback(server) { builder.no_proxy() } else { builder }
}

/// The same for any server, through the environment's proxy.
pub(crate) fn without_redirects() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")))
}

/// Whether the host is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
