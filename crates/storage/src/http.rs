//! What the requests share. The body of an answer that refuses is never read: it may repeat what was signed.

use std::error::Error as _;
use std::time::Duration;

use chrono::DateTime;
use holdfast_model::Timestamp;
use reqwest::header::DATE;
use reqwest::{Client, Response, redirect};
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use url::Url;

use crate::{Container, Error, Refusal, Sas};

/// Each request carries a few bytes at most, and a worker's step waits for it.
const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client that follows no redirect, since a SAS must go nowhere but to its container.
pub(crate) fn client() -> Result<Client, Error> {
    Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Error::BuildClient { reason: describe(error) })
}

/// The URL of a blob with the SAS; `None` when no URL can say that name.
pub(crate) fn blob_url(container: &Container, blob_name: &str, sas: &Sas) -> Option<Url> {
    // A URL drops these, and the request would go to something else.
    if blob_name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return None;
    }
    let mut url = container.url().clone();
    url.path_segments_mut().ok()?.extend(blob_name.split('/'));
    url.set_query(Some(sas.query().expose_secret()));
    Some(url)
}

/// What an answer other than the wished one means.
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

/// Does the answer name this error?
pub(crate) fn is_error(answer: &Response, code: &str) -> bool {
    answer.headers().get("x-ms-error-code").is_some_and(|named| named == code)
}

/// The time that an answer bears.
pub(crate) fn server_time(answer: &Response) -> Option<Timestamp> {
    let text = answer.headers().get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|time| time.to_utc())
}

/// The body of an answer that may be read, unless it is longer than it can be.
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

/// What it means that no answer came.
pub(crate) fn no_answer(operation: &'static str, error: reqwest::Error) -> Refusal {
    Refusal::NoAnswer { operation, reason: describe(error) }
}

/// The whole chain of causes, without the URL, which holds the SAS.
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
