//! Requests and responses, independent of the transport.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use percent_encoding::percent_decode_str;

/// The HTTP methods of Azure's endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the headers alone.
    Head,
    /// Starts something, or reads secrets.
    Post,
    /// Replaces.
    Put,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method of this name, in capitals as in HTTP.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A request. Its query and body may hold secrets, so `Debug` shows neither.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The origin of the caller's URL, such as `http://127.0.0.1:4000`. Links to further pages begin with it.
    pub origin: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query after the `?`, still percent-encoded; empty without one.
    pub query: String,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request to ARM's public name without headers or body; `target` is the path with its query.
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            origin: "https://management.azure.com".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: BTreeMap::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header; `name` is in lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The value of a header; `name` is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first value of a parameter of the query, decoded; the case of its name is ignored, as in ARM.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        pairs(&self.query).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The decoded pairs of a query or a form, in order. A `+` is a space, as in a form, so an unencoded `+` in a
/// signature fails.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
    })
}

/// Decodes `%xx`. Invalid UTF-8 is replaced, and so never equals a name or a signature.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A response. Its body may hold secrets, so `Debug` shows only its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<&'static str, String>,
    /// The body.
    pub body: Vec<u8>,
    /// How it reaches the caller.
    pub delivery: Delivery,
}

/// How a response reaches the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    Normal,
    /// After this long; the effect took place before the wait.
    Delayed(Duration),
    /// Not at all: the connection drops after the effect.
    LostAfterAccept,
    /// Not at all: the connection drops, and there was no effect.
    DroppedBefore,
    /// A proxy's HTML replaces the response. The caller cannot know whether there was an effect.
    Garbage,
}

impl Response {
    /// A response without headers or body.
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: BTreeMap::new(), body: Vec::new(), delivery: Delivery::Normal }
    }

    /// A response in JSON.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        let response = Self::new(status).with_header("content-type", "application/json; charset=utf-8");
        Self { body: body.to_string().into_bytes(), ..response }
    }

    /// Adds a header; `name` is in lower case.
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// The value of a header; `name` is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether the status is one of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}
