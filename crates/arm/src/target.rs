//! What a call is about, and the errors that name it.

use holdfast_model::{AppId, BackupId, SubscriptionId};
use tracing::{Span, field};

use crate::{Error, ErrorKind, Operation};

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub(crate) operation: Operation,
    pub(crate) subscription: &'a SubscriptionId,
    pub(crate) app: Option<&'a AppId>,
    backup: Option<BackupId>,
}

impl<'a> Target<'a> {
    /// A call about a subscription.
    pub fn subscription(operation: Operation, subscription: &'a SubscriptionId) -> Self {
        Self { operation, subscription, app: None, backup: None }
    }

    /// A call about an app.
    pub fn app(operation: Operation, app: &'a AppId) -> Self {
        Self { operation, subscription: app.subscription(), app: Some(app), backup: None }
    }

    /// A call about one backup of an app.
    pub fn backup(operation: Operation, app: &'a AppId, id: BackupId) -> Self {
        Self { backup: Some(id), ..Self::app(operation, app) }
    }

    /// The error of this call. `what` is a fragment such as `no connection`; it is blanked and shortened.
    pub fn error(&self, kind: ErrorKind, what: &str) -> Error {
        let name = match (self.app, self.backup) {
            (Some(app), Some(id)) => format!("backup {id} of {}", app.short_name()),
            (Some(app), None) => app.short_name(),
            (None, _) => format!("subscription {}", self.subscription),
        };
        Error::new(self.operation, name, kind, what)
    }

    /// The error of a request without an answer. Only a connection that was never made is certain to have carried
    /// nothing.
    pub(crate) fn lost(&self, error: reqwest::Error) -> Error {
        let kind =
            if error.is_connect() || error.is_builder() { ErrorKind::NotSent } else { ErrorKind::Ambiguous };
        let what = match (&kind, error.is_timeout()) {
            (ErrorKind::NotSent, true) => "no connection in time",
            (ErrorKind::NotSent, false) => "no connection",
            (_, true) => "no answer in time",
            (_, false) => "the connection broke before the answer",
        };
        self.broken(kind, what, error)
    }

    /// Adds the innermost cause to the text, such as `Connection refused`; the URL is left out of it.
    pub(crate) fn broken(&self, kind: ErrorKind, what: &str, error: reqwest::Error) -> Error {
        let error = error.without_url();
        self.error(kind, &format!("{what}: {}", innermost(&error))).with_source(error)
    }

    /// The span of one request about it; what the answer tells is recorded later.
    pub(crate) fn span(&self, method: &str, client_request_id: &str) -> Span {
        tracing::info_span!(
            "arm",
            method,
            operation = self.operation.as_str(),
            subscription = %self.subscription,
            app = self.app.map(|app| field::display(app.short_name())),
            backup = self.backup.map(field::display),
            client_request_id,
            status = field::Empty,
            request_id = field::Empty,
            correlation_id = field::Empty,
        )
    }
}

/// The innermost cause of an error: the outer ones say no more than that a request failed.
pub(crate) fn innermost<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> &'e (dyn std::error::Error + 'static) {
    let mut innermost = error;
    while let Some(deeper) = innermost.source() {
        innermost = deeper;
    }
    innermost
}
