//! Calls are paid from the buckets of their subscription.

use holdfast_model::Call;

use super::buckets::{Bucket, Paid};
use super::route::Route;
use super::{Azure, envelope};
use crate::Response;

impl Azure {
    /// Takes a call's token, or answers 429: the request is not processed.
    pub(super) fn pay(&mut self, route: &Route) -> Result<Paid, Response> {
        let (subscription, call) = (route.subscription(), route.call());
        let (sizes, now) = (self.config.buckets, self.now);
        let (size, header) = match call {
            Call::Read => (sizes.reads, "x-ms-ratelimit-remaining-subscription-reads"),
            // The header of a recorded POST `config/backup/list`.
            Call::Write if route.is_post_that_reads() => {
                (sizes.writes, "x-ms-ratelimit-remaining-subscription-resource-requests")
            }
            Call::Write => (sizes.writes, "x-ms-ratelimit-remaining-subscription-writes"),
            Call::Delete => (sizes.deletes, "x-ms-ratelimit-remaining-subscription-deletes"),
        };
        let bucket =
            self.buckets.entry((subscription.clone(), call)).or_insert_with(|| Bucket::full(size, now));
        bucket.take(now).map(|left| Paid { header, left }).map_err(|wait| {
            self.counters.throttled_by_arm += 1;
            let seconds = wait.as_secs_f64().ceil().max(1.0);
            let message = format!(
                "Number of '{}' requests for subscription '{subscription}' actor '{}' exceeded. Please try again \
                 after '{seconds}' seconds after additional tokens are available.",
                call.as_str(),
                self.config.client.id
            );
            envelope::arm(429, "SubscriptionRequestsThrottled", &message)
                .with_header("retry-after", seconds.to_string())
                .with_header(header, "0")
        })
    }
}
