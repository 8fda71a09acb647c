//! The arithmetic of a budget: a token bucket that a throttle can close.

use holdfast_model::{Budget, Timestamp};

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub tokens: f64,
    /// When `tokens` was so.
    pub filled_at: Timestamp,
    /// Nothing is drawn before.
    pub closed_until: Option<Timestamp>,
}

impl Bucket {
    /// A budget nobody has drawn on. Its tokens are without limit until the first refill cuts them to the capacity,
    /// because whoever only closes a budget does not know it.
    pub(crate) fn full(now: Timestamp) -> Self {
        Self { tokens: f64::MAX, filled_at: now, closed_until: None }
    }

    /// Refills for the time passed. A clock that went back refills nothing, and counts on from there.
    pub(crate) fn refill(&mut self, budget: Budget, now: Timestamp) {
        let passed = (now - self.filled_at).to_std().unwrap_or_default();
        let gained = passed.as_secs_f64() * budget.per_second.max(0.0);
        self.tokens = (self.tokens + gained).min(budget.capacity).max(0.0);
        self.filled_at = now;
    }

    /// Whole tokens that can be drawn at `now`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cut at the integer's bounds, and tokens are never negative"
    )]
    pub(crate) fn whole(&self, now: Timestamp) -> u32 {
        let closed = self.closed_until.is_some_and(|until| now < until);
        if closed { 0 } else { self.tokens.floor() as u32 }
    }

    /// Draws tokens.
    pub(crate) fn draw(&mut self, count: u32) {
        self.tokens = (self.tokens - f64::from(count)).max(0.0);
    }

    /// Closes it until a time, or for longer where it is so already.
    pub(crate) fn close(&mut self, until: Timestamp) {
        self.closed_until = self.closed_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { capacity: 10.0, per_second: 0.5 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).unwrap()
    }

    fn refilled(mut bucket: Bucket, seconds: i64) -> Bucket {
        bucket.refill(BUDGET, at(seconds));
        bucket
    }

    #[test]
    fn it_begins_full_gives_whole_tokens_and_never_holds_more_than_its_capacity() {
        let mut bucket = refilled(Bucket::full(at(0)), 1_000);
        assert_eq!(bucket.whole(at(1_000)), 10);
        bucket.draw(10);
        assert_eq!(refilled(bucket, 1_001).whole(at(1_001)), 0);
        assert_eq!(refilled(bucket, 1_003).whole(at(1_003)), 1);
        assert_eq!(refilled(bucket, 9_000).whole(at(9_000)), 10);
    }

    #[test]
    fn a_clock_that_goes_back_refills_nothing_and_does_not_stop_the_refill_after() {
        let mut bucket = refilled(Bucket::full(at(1_000)), 1_000);
        bucket.draw(10);
        let back = refilled(bucket, 10);
        assert_eq!(back.whole(at(10)), 0);
        assert_eq!(refilled(back, 14).whole(at(14)), 2);
    }

    #[test]
    fn a_closed_budget_gives_nothing_until_the_later_of_two_closings() {
        let mut bucket = refilled(Bucket::full(at(0)), 0);
        bucket.close(at(50));
        bucket.close(at(20));
        assert_eq!((bucket.whole(at(49)), bucket.whole(at(50))), (0, 10));
    }
}
