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
