//! Observation of requests, for admission control and metrics.

use std::time::Duration;

use holdfast_model::{AppId, SubscriptionId};

use crate::Operation;

/// One request and its response. A call of several pages, or one repeated after a 401, is several of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFacts<'a> {
    /// The call.
    pub operation: Operation,
    /// The HTTP method. One call may use several: further pages of a POST are GETs.
    pub method: &'a str,
    /// The subscription whose budget was used.
    pub subscription: &'a SubscriptionId,
    /// The app; `None` for a call about the subscription.
    pub app: Option<&'a AppId>,
    /// The HTTP status; `None` without a complete response.
    pub status: Option<u16>,
    /// The rest of ARM's budgets, as far as the response says.
    pub remaining: Remaining,
    /// The time from before the request to the end of the response's body.
    pub elapsed: Duration,
}

/// The rest of the subscription's budgets (headers `x-ms-ratelimit-remaining-subscription-*`). Which of them a response
/// has depends on the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Remaining {
    /// Reads.
    pub reads: Option<u32>,
    /// Writes.
    pub writes: Option<u32>,
    /// Deletes.
    pub deletes: Option<u32>,
    /// POSTs that read, such as lists of secrets.
    pub resource_requests: Option<u32>,
}

impl Remaining {
    /// The smallest of those present.
    pub fn least(&self) -> Option<u32> {
        [self.reads, self.writes, self.deletes, self.resource_requests].into_iter().flatten().min()
    }
}

/// Observes every request that the client sends.
pub trait CallObserver: Send + Sync {
    /// Called after each response, and after each request that got none. It must not block.
    fn answered(&self, call: &CallFacts<'_>);

    /// Called after a call about `subscription` for which no token could be obtained within `elapsed`. It must not block.
    fn no_token(&self, _subscription: &SubscriptionId, _elapsed: Duration) {}
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopCallObserver;

impl CallObserver for NoopCallObserver {
    fn answered(&self, _: &CallFacts<'_>) {}
}
