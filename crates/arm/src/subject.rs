//! The subject of a call, and the errors that name it.

use holdfast_model::{AppId, BackupId, SubscriptionId};
use tracing::{Span, field};

use crate::{Error, ErrorKind, Operation, TransportError};

/// The key of the budget of calls that are about no subscription.
pub fn tenant_budget() -> SubscriptionId {
    SubscriptionId::new("tenant")
}

/// A call's operation, and the subscription, app or backup that it is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallSubject<'a> {
    pub(crate) operation: Operation,
    pub(crate) subscription: &'a SubscriptionId,
    pub(crate) app: Option<&'a AppId>,
    backup: Option<BackupId>,
}

impl<'a> CallSubject<'a> {
    /// A call about a subscription.
    pub(crate) fn subscription(operation: Operation, subscription: &'a SubscriptionId) -> Self {
        Self { operation, subscription, app: None, backup: None }
    }

    /// A call about an app.
    pub(crate) fn app(operation: Operation, app: &'a AppId) -> Self {
        Self { operation, subscription: app.subscription(), app: Some(app), backup: None }
    }

    /// A call about one backup of an app.
    pub(crate) fn backup(operation: Operation, app: &'a AppId, id: BackupId) -> Self {
        Self { backup: Some(id), ..Self::app(operation, app) }
    }

    /// Whether this normalized path is below the call's subscription.
    pub(crate) fn contains_path(&self, path: &str) -> bool {
        path.to_ascii_lowercase().starts_with(&format!("/subscriptions/{}/", self.subscription))
    }

    /// An error of this call. `what` is a fragment such as `no connection`; its secrets are blanked and it is shortened.
    pub(crate) fn error(&self, kind: ErrorKind, what: &str) -> Error {
        let name = match (self.app, self.backup) {
            (Some(app), Some(id)) => format!("backup {id} of {}", app.short_name()),
            (Some(app), None) => app.short_name(),
            (None, _) if self.operation == Operation::ListSubscriptions => "the credential".to_owned(),
            (None, _) => format!("subscription {}", self.subscription),
        };
        Error::new(self.operation, name, kind, what)
    }

    /// The error of a request without a complete response.
    pub(crate) fn transport_error(&self, failure: TransportError) -> Error {
        let kind = if failure.may_have_arrived { ErrorKind::Ambiguous } else { ErrorKind::NotSent };
        let error = self.error(kind, &failure.reason).with_source(failure.source);
        match failure.head {
            Some(head) => error.with_answer(head.status, None).with_request_id(head.request_id()),
            None => error,
        }
    }

    /// The span of one request. The response fills in the empty fields.
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
