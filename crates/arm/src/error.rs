//! The error of a call, and what it means for the caller.

use std::fmt;
use std::time::Duration;

use crate::Operation;
use crate::scrub::brief;

/// A failed call: the operation, its subject, Azure's text and the kind of the error.
///
/// Its text holds no secret: secrets in Azure's text are blanked, and long texts are shortened.
#[derive(Debug, thiserror::Error)]
#[error("{inner}")]
pub struct Error {
    inner: Box<Inner>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug)]
struct Inner {
    operation: Operation,
    subject: String,
    kind: ErrorKind,
    what: String,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

/// The meaning of a failed call, decided where it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// 429: Azure did nothing; the caller waits.
    Throttled {
        /// The wait that Azure asks for. It may be missing or zero, so the caller needs a minimum.
        retry_after: Option<Duration>,
        /// The budget that is exhausted.
        scope: ThrottleScope,
    },
    /// 409: Azure did nothing, because another operation on the app is in progress; the caller waits. Locks, policies and
    /// disabled subscriptions are [`Rejected`](Self::Rejected).
    Conflict {
        /// The wait that Azure asks for.
        retry_after: Option<Duration>,
    },
    /// 403: the credential lacks the right. A role that was just granted takes minutes to be in force, so the caller may
    /// repeat the call for a while.
    Forbidden,
    /// 404: the app or backup does not exist.
    NotFound,
    /// 401, and again with a fresh token; or the token service refuses the credential, perhaps not for ever. Azure did
    /// nothing.
    Unauthorized,
    /// The token service refuses the credential until a person replaces it, such as one whose secret has expired. No
    /// request was sent.
    CredentialRefused,
    /// Another 4xx, or a subscription without a credential: a repetition fails the same way.
    Rejected,
    /// The request was sent and no usable response of Azure's came: a 5xx, a timeout, a broken connection, a redirect, a
    /// body that cannot be read, or any status from a gateway or proxy. Azure may or may not have done it.
    Ambiguous,
    /// The request certainly never reached Azure: no token, no DNS name, no connection, no TLS.
    NotSent,
}

/// The source of a 429, which decides which calls wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleScope {
    /// ARM's token bucket of the subscription and credential.
    Arm,
    /// The App Service resource provider, which has its own limits even while ARM's bucket is full.
    Provider,
}

impl Error {
    /// An error of `operation` on `subject` (an app's short name, or `backup 7 of shop`). `what` is a fragment such as
    /// `azure answered 404`; its secrets are blanked and it is shortened.
    pub fn new(operation: Operation, subject: impl Into<String>, kind: ErrorKind, what: &str) -> Self {
        let what = brief(what);
        let (subject, status, code, request_id, retry_after) = (subject.into(), None, None, None, None);
        Self {
            inner: Box::new(Inner { operation, subject, kind, what, status, code, request_id, retry_after }),
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

    /// Adds the wait that the response asks for.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.inner.retry_after = retry_after;
        self
    }

    /// Adds the cause. It must hold no secret.
    #[must_use]
    pub(crate) fn with_source(mut self, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = source;
        self
    }

    /// The meaning for the caller.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// The call that failed.
    pub fn operation(&self) -> Operation {
        self.inner.operation
    }

    /// The HTTP status, when a response came.
    pub fn status(&self) -> Option<u16> {
        self.inner.status
    }

    /// The wait that the response asks for, whatever its status (header `Retry-After`).
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
        write!(f, "{} {}: {}", self.operation.phrase(), self.subject, self.what)?;
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
