//! ARM's token buckets (Microsoft Learn, request-limits-and-throttling, since 2024).

use std::time::Duration;

use holdfast_model::{Call, Timestamp};

use super::route::Route;
use super::{Azure, envelope};
use crate::{BucketSize, Response};

/// The cost of one call, so that fractions of a token are whole numbers.
const TOKEN: u64 = 1_000;

/// One bucket of one subscription.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    size: BucketSize,
    /// In thousandths of a call.
    level: u64,
    filled_at: Timestamp,
}

impl Bucket {
    fn full(size: BucketSize, now: Timestamp) -> Self {
        Self { size, level: u64::from(size.capacity) * TOKEN, filled_at: now }
    }

    /// Takes a token and returns how many are left, or the wait until there is one.
    fn take(&mut self, now: Timestamp) -> Result<u64, Duration> {
        let millis = u64::try_from((now - self.filled_at).num_milliseconds()).unwrap_or(0);
        let gained = millis.saturating_mul(u64::from(self.size.refill_per_second));
        self.level = self.level.saturating_add(gained).min(u64::from(self.size.capacity) * TOKEN);
        self.filled_at = self.filled_at.max(now);
        match self.level.checked_sub(TOKEN) {
            Some(level) => {
                self.level = level;
                Ok(level / TOKEN)
            }
            // A bucket without a refill asks for a wait of a minute.
            None if self.size.refill_per_second == 0 => Err(Duration::from_mins(1)),
            None => {
                let millis = (TOKEN - self.level).div_ceil(u64::from(self.size.refill_per_second));
                Err(Duration::from_millis(millis))
            }
        }
    }
}

/// A paid call, and the header that reports the bucket.
pub(super) struct Paid {
    pub(super) header: &'static str,
    pub(super) left: u64,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: BucketSize = BucketSize { capacity: 200, refill_per_second: 10 };

    /// Over any span, no more calls pass than a full bucket and the refill of the span.
    #[test]
    fn no_span_lets_more_through_than_capacity_and_refill() {
        for seed in 0..50 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut now = Timestamp::UNIX_EPOCH;
            let mut bucket = Bucket::full(SIZE, now);
            let mut passed: Vec<Timestamp> = Vec::new();
            for _ in 0..2_000 {
                now += Duration::from_millis(rng.u64(0..120));
                if bucket.take(now).is_ok() {
                    passed.push(now);
                }
            }
            for (i, from) in passed.iter().enumerate().step_by(37) {
                for (j, to) in passed.iter().enumerate().skip(i).step_by(41) {
                    let millis = u64::try_from((*to - *from).num_milliseconds()).unwrap();
                    let most = 200 + (millis * 10).div_ceil(1_000) + 1;
                    assert!(u64::try_from(j - i).unwrap() <= most, "seed {seed}");
                }
            }
        }
    }

    #[test]
    fn a_request_after_retry_after_passes_and_an_earlier_one_does_not() {
        let start = Timestamp::UNIX_EPOCH;
        let mut bucket = Bucket::full(SIZE, start);
        for left in (0..200).rev() {
            assert_eq!(bucket.take(start), Ok(left));
        }
        let wait = bucket.take(start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert!(bucket.take(start + wait - Duration::from_millis(1)).is_err());
        assert_eq!(bucket.take(start + wait), Ok(0));
    }

    #[test]
    fn a_bucket_fills_to_its_capacity_and_no_further_and_time_that_goes_back_fills_nothing() {
        let start = Timestamp::UNIX_EPOCH + Duration::from_secs(1_000);
        let mut bucket = Bucket::full(SIZE, start);
        assert_eq!(bucket.take(start + Duration::from_secs(10_000)), Ok(199));
        assert_eq!(bucket.take(start), Ok(198));
    }
}
