//! ARM's token buckets (Microsoft Learn, request-limits-and-throttling, since 2024).

use std::time::Duration;

use holdfast_model::Timestamp;

use crate::BucketSize;

/// The cost of one call, so that fractions of a token are whole numbers.
const TOKEN: u64 = 1_000;

/// One bucket of one subscription.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    pub(super) size: BucketSize,
    /// In thousandths of a call.
    pub(super) level: u64,
    pub(super) filled_at: Timestamp,
}

impl Bucket {
    pub(super) fn full(size: BucketSize, now: Timestamp) -> Self {
        Self { size, level: u64::from(size.capacity) * TOKEN, filled_at: now }
    }

    /// Takes a token and returns how many are left, or the wait until there is one.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<u64, Duration> {
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
    fn whoever_waits_as_told_gets_through_and_who_comes_sooner_does_not() {
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
