//! What went wrong, and what it means for the caller.

use std::fmt;
use std::time::Duration;

use crate::Operation;
use crate::scrub::brief;

/// A call that did not end well: which, of what, what Azure said, and what follows from it.
///
/// Its text holds no secret: Azure's words are blanked and shortened before they get here.
#[derive(Debug, thiserror::Error)]
#[error("{inner}")]
pub struct Error {
    inner: Box<Inner>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug)]
struct Inner {
    operation: Operation,
    target: String,
    kind: ErrorKind,
    what: String,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

/// What a failed call means, decided once where it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// 429: nothing was done; wait.
    Throttled {
        /// What Azure asked to wait. May be missing, and may be zero, so the caller needs a floor.
        retry_after: Option<Duration>,
        /// Who throttles.
        scope: ThrottleScope,
    },
    /// 409: nothing was done, because something else is under way at the app; wait.
    Conflict {
        /// What Azure asked to wait.
        retry_after: Option<Duration>,
    },
    /// 403: the credential has no right to do this. Also a 409 that a lock or a disabled subscription causes.
    Forbidden,
    /// 404: there is no such app or backup.
    NotFound,
    /// 401, and again with a fresh token.
    Unauthorized,
    /// Another 4xx, or a subscription that no credential serves: repeating it changes nothing.
    Rejected,
    /// The request left and no usable answer came: a 5xx, a timeout, a broken connection, a redirect, a body that
    /// cannot be read. Azure may or may not have done it.
    Ambiguous,
    /// The request certainly never reached Azure: no token, no name, no connection, no TLS.
    NotSent,
}

/// Who answered 429, and so which calls should wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleScope {
    /// ARM's token bucket of the subscription and credential.
    Arm,
    /// The App Service resource provider, which limits on its own while ARM's bucket is full.
    Provider,
}

impl Error {
    /// An error of `operation` on `target` (an app's short name, or `backup 7 of shop`); `what` happened is a
    /// fragment such as `azure answered 404`. It is blanked and shortened here.
    pub fn new(operation: Operation, target: impl Into<String>, kind: ErrorKind, what: &str) -> Self {
        let what = brief(what);
        let (target, status, code, request_id, retry_after) = (target.into(), None, None, None, None);
        Self {
            inner: Box::new(Inner { operation, target, kind, what, status, code, request_id, retry_after }),
            source: None,
        }
    }

    /// Adds the HTTP status and Azure's error code.
    #[must_use]
    pub fn with_answer(mut self, status: u16, code: Option<&str>) -> Self {
        self.inner.status = Some(status);
        self.inner.code = code.map(brief);
        self
    }

    /// Adds the id by which Microsoft's support finds the request.
    #[must_use]
    pub fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.inner.request_id = request_id;
        self
    }

    /// Adds what the answer asks to wait.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.inner.retry_after = retry_after;
        self
    }

    /// Adds the cause. It must hold no secret.
    #[must_use]
    pub(crate) fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// What it means for the caller.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// Which call failed.
    pub fn operation(&self) -> Operation {
        self.inner.operation
    }

    /// The HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.inner.status
    }

    /// What the answer asks to wait, whatever its status (header `Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// Azure's error code, such as `SubscriptionRequestsThrottled`.
    pub fn code(&self) -> Option<&str> {
        self.inner.code.as_deref()
    }

    /// The id by which Microsoft's support finds the request (header `x-ms-request-id`).
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.operation.phrase(), self.target, self.what)?;
        self.request_id.as_ref().map_or(Ok(()), |id| write!(f, " (request {id})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_the_call_the_app_what_happened_and_the_request() {
        let error = Error::new(
            Operation::Backup,
            "shop/staging",
            ErrorKind::NotFound,
            "azure answered 404: ?sig=abc",
        )
        .with_answer(404, Some("NotFound"))
        .with_request_id(Some("r-1".into()));
        assert_eq!(
            error.to_string(),
            "start a backup of shop/staging: azure answered 404: ?sig=[blanked] (request r-1)"
        );
        assert_eq!(
            (error.status(), error.code(), error.kind()),
            (Some(404), Some("NotFound"), &ErrorKind::NotFound)
        );
    }
}
