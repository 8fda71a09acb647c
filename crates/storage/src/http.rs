//! The HTTP client and its helpers. The body of a refusal is never read: it may repeat the signed text.

use std::error::Error as _;
use std::time::Duration;

use chrono::DateTime;
use holdfast_model::{Timestamp, is_out_of_files};
use reqwest::header::DATE;
use reqwest::{Client, Response, redirect};
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use url::Url;

use crate::host::is_loopback;
use crate::{Container, Error, Refusal, Sas};

/// The longest time for a request. Requests are small, and a worker's step waits for them.
const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The HTTP clients for storage and vaults. They follow no redirect: a SAS must only be sent to its container.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    /// Goes through the proxy that the environment names.
    remote: Client,
    /// Goes to this machine, never through a proxy.
    local: Client,
}

impl Clients {
    pub(crate) fn new() -> Result<Self, Error> {
        let builder = || {
            Client::builder()
                .timeout(TIMEOUT)
                .connect_timeout(CONNECT_TIMEOUT)
                .redirect(redirect::Policy::none())
                .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")))
        };
        let build = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| Error::BuildClient { reason: describe(error) })
        };
        Ok(Self { remote: build(builder())?, local: build(builder().no_proxy())? })
    }

    /// The client for a server.
    pub(crate) fn of(&self, server: &Url) -> &Client {
        if is_loopback(server) { &self.local } else { &self.remote }
    }
}

/// The URL of a blob with the SAS; `None` for a name that no URL can express.
pub(crate) fn blob_url(container: &Container, blob_name: &str, sas: &Sas) -> Option<Url> {
    // A URL drops these segments, and the request would go to another blob.
    if blob_name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return None;
    }
    let mut url = container.url().clone();
    url.path_segments_mut().ok()?.extend(blob_name.split('/'));
    url.set_query(Some(sas.query().expose_secret()));
    Some(url)
}

/// The refusal in a response other than the expected one.
pub(crate) fn refusal(operation: &'static str, answer: &Response) -> Refusal {
    let (status, code) = (answer.status(), answer.status().as_u16());
    match code {
        403 if is_error(answer, "KeyBasedAuthenticationNotPermitted") => Refusal::NoKeyAccess { operation },
        401 | 403 => Refusal::Forbidden { operation, status: code },
        404 => Refusal::NoContainer { operation },
        408 | 425 | 429 => Refusal::Busy { operation, status: code },
        _ if status.is_server_error() => Refusal::Busy { operation, status: code },
        _ => Refusal::Rejected { operation, status: code },
    }
}

/// Whether the response has this error code.
pub(crate) fn is_error(answer: &Response, code: &str) -> bool {
    answer.headers().get("x-ms-error-code").is_some_and(|named| named == code)
}

/// The time in a response's header.
pub(crate) fn server_time(answer: &Response) -> Option<Timestamp> {
    let text = answer.headers().get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|time| time.to_utc())
}

/// Reads the body of a response, at most `bytes_max`.
pub(crate) async fn body(mut answer: Response, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = answer.chunk().await.map_err(describe)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(format!("the answer is longer than {bytes_max} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The refusal of a request without a response.
pub(crate) fn no_answer(operation: &'static str, error: reqwest::Error) -> Refusal {
    if is_out_of_files(&error) {
        return Refusal::TooManyOpenFiles { operation };
    }
    Refusal::NoAnswer { operation, reason: describe(error) }
}

/// The whole chain of causes, without the URL, which contains the SAS.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
