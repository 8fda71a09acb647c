//! `GET /events`: tells a page that what it shows has changed, as server-sent events.
//!
//! A stream holds one small message at a time: the next one is made when the client has taken the last. Its connection
//! counts as one that waits for its client, so that it gives way to new ones.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::watch;

use crate::failure::{ApiFailure, Failure};
use crate::gate::Gate;
use crate::site::Site;

/// How often a stream looks, beside the signals of this process.
const EVERY: Duration = Duration::from_secs(5);
/// Looks without news after which the client hears that the stream is alive.
const HEARTBEAT: u32 = 3;
/// Looks of a stream, at most. The client then connects again, before the connection's time is over.
const LOOKS: u32 = 10;
/// Looks of which one asks for a new reading. The others see what was read meanwhile.
const READS_EVERY: u32 = 2;
/// The first message: the pause before the client connects again, in milliseconds.
const FIRST: &str = "retry: 3000\n\n";

/// Tells when the process stops.
#[derive(Debug, Clone)]
pub struct Stopping(pub watch::Receiver<bool>);

/// A stream of one page.
struct Stream {
    site: Arc<Site>,
    gate: Arc<Gate>,
    /// The request, to find out whether its caller is still logged in.
    head: Parts,
    stopping: Option<watch::Receiver<bool>>,
    signals: watch::Receiver<u64>,
    /// The version of the fleet that the page knows.
    known: Option<u64>,
    looks: u32,
    quiet: u32,
    is_begun: bool,
    is_signalled: bool,
}

/// `GET /events`
pub async fn events(State(site): State<Arc<Site>>, request: Request) -> Result<Response, ApiFailure> {
    let (mut head, _) = request.into_parts();
    if !accepts_events(&head.headers) {
        let detail = "This address gives server-sent events alone: send Accept: text/event-stream.";
        return Err(Failure::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", "Another kind", detail).into());
    }
    let gate = head.extensions.get::<Arc<Gate>>().cloned().ok_or_else(Failure::login_demanded)?;
    // The stream is no use of the session by a person.
    head.headers.insert("x-fragment", HeaderValue::from_static("events"));
    let version = site.reading().await?.version;
    let last: Option<u64> = head.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let stopping = head.extensions.get::<Stopping>().map(|Stopping(stop)| stop.clone());
    let signals = site.signals();
    let known = last.or(Some(version));
    let stream = Stream {
        site,
        gate,
        head,
        stopping,
        signals,
        known,
        looks: 0,
        quiet: 0,
        is_begun: false,
        is_signalled: false,
    };
    let messages = stream::unfold(stream, |mut stream| async move {
        let message = stream.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(message)), stream))
    });
    let kind = [(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
    Ok((kind, Body::from_stream(messages)).into_response())
}

impl Stream {
    /// The next message; `None` at the end of the stream.
    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.is_begun, true) {
            return Some(FIRST.to_owned());
        }
        while self.looks < LOOKS && self.is_logged_in().await {
            if let Some(version) = self.version().await
                && self.known != Some(version)
            {
                self.known = Some(version);
                self.quiet = 0;
                return Some(format!("id: {version}\nevent: changed\ndata: {version}\n\n"));
            }
            if self.quiet >= HEARTBEAT {
                self.quiet = 0;
                return Some(":\n\n".to_owned());
            }
            if !self.wait().await {
                return None;
            }
        }
        None
    }

    /// The number of the reading; `None` while there is none.
    async fn version(&self) -> Option<u64> {
        let asks = self.is_signalled || self.looks.is_multiple_of(READS_EVERY);
        let cached = if asks { self.site.reading().await.ok() } else { self.site.latest() };
        cached.map(|cached| cached.version)
    }

    /// Whether the caller may still see the pages.
    async fn is_logged_in(&self) -> bool {
        matches!(self.gate.caller(&self.head).await, Ok(Some(_)))
    }

    /// Waits for a signal or for some time; false when the process stops.
    async fn wait(&mut self) -> bool {
        let stopped = async {
            match &mut self.stopping {
                Some(stop) => drop(stop.wait_for(|stop| *stop).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stopped => return false,
            signalled = tokio::time::timeout(EVERY, self.signals.changed()) => {
                self.is_signalled = signalled.is_ok();
                if !self.is_signalled {
                    self.looks += 1;
                    self.quiet += 1;
                }
            }
        }
        true
    }
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|kinds| kinds.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/event-stream")
}
