//! The arithmetic of a budget: a token bucket that a throttle can close.

use std::time::Duration;

use holdfast_model::{Budget, Timestamp};

use crate::budget_draw::Drawn;

/// The longest wait that a draw returns.
const WAIT_MAX: Duration = Duration::from_hours(24);

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub tokens: f64,
    /// The time of `tokens`.
    pub filled_at: Timestamp,
    /// Nothing is drawn before.
    pub closed_until: Option<Timestamp>,
}

impl Bucket {
    /// A budget that was never drawn on. Its tokens are unlimited until the first refill cuts them to the capacity,
    /// because closing a budget does not know the capacity.
    pub(crate) fn full(now: Timestamp) -> Self {
        Self { tokens: f64::MAX, filled_at: now, closed_until: None }
    }

    /// Whole tokens that can be drawn at `now`.
    pub(crate) fn whole(&self, budget: Budget, now: Timestamp) -> u32 {
        let closed = self.closed_until.is_some_and(|until| now < until);
        if closed { 0 } else { whole_tokens(self.refilled(budget, now).tokens) }
    }

    /// Draws at most `most` tokens from the upper half of the budget. The budget is `None` when nothing changes.
    pub(crate) fn draw_spare(&self, budget: Budget, now: Timestamp, most: u32) -> (Drawn, Option<Self>) {
        if let Some(until) = self.closed_until.filter(|until| now < *until) {
            let wait = (until - now).to_std().unwrap_or_default().min(WAIT_MAX);
            return (Drawn { tokens: 0, wait }, None);
        }
        // A budget of one or two calls has no half: its last token is for anyone.
        let reserve = (budget.capacity / 2.0).min(budget.capacity - 1.0).max(0.0);
        let spare = self.refilled(budget, now).tokens - reserve;
        let tokens = whole_tokens(spare).min(most);
        let wait = if tokens > 0 || most == 0 { Duration::ZERO } else { refill_time(1.0 - spare, budget) };
        (Drawn { tokens, wait }, self.drawn(budget, now, tokens))
    }

    /// The budget after `count` tokens are drawn at `now`; `None` when nothing changes. A clock that went back is recorded
    /// even when nothing is drawn, so that the refill continues from there.
    pub(crate) fn drawn(&self, budget: Budget, now: Timestamp, count: u32) -> Option<Self> {
        let refilled = self.refilled(budget, now);
        let tokens = (refilled.tokens - f64::from(count)).max(0.0);
        (count > 0 || now < self.filled_at).then_some(Self { tokens, ..refilled })
    }

    /// The budget refilled up to `now`. A clock that went back refills nothing.
    fn refilled(&self, budget: Budget, now: Timestamp) -> Self {
        let passed = (now - self.filled_at).to_std().unwrap_or_default();
        let gained = passed.as_secs_f64() * budget.per_second.max(0.0);
        Self { tokens: (self.tokens + gained).min(budget.capacity).max(0.0), filled_at: now, ..*self }
    }

    /// Closes it until a time, unless it is closed for longer.
    pub(crate) fn close(&mut self, until: Timestamp) {
        self.closed_until = self.closed_until.max(Some(until));
    }
}

/// The whole number of tokens, at least 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is cut at the integer's bounds"
)]
fn whole_tokens(tokens: f64) -> u32 {
    // Ten times a tenth is a little less than one.
    const ROUNDING: f64 = 1e-6;
    (tokens + ROUNDING).floor() as u32
}

/// The time in which the budget gains these tokens, at least a millisecond.
fn refill_time(tokens: f64, budget: Budget) -> Duration {
    let time = Duration::try_from_secs_f64(tokens / budget.per_second).unwrap_or(WAIT_MAX);
    time.clamp(Duration::from_millis(1), WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { capacity: 10.0, per_second: 0.5 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).unwrap()
    }

    /// Draws as much as there is, up to `most`.
    fn draw(bucket: &mut Bucket, seconds: i64, most: u32) -> u32 {
        let count = bucket.whole(BUDGET, at(seconds)).min(most);
        *bucket = bucket.drawn(BUDGET, at(seconds), count).unwrap_or(*bucket);
        count
    }

    #[test]
    fn it_begins_full_gives_whole_tokens_and_never_holds_more_than_its_capacity() {
        let mut bucket = Bucket::full(at(0));
        let drawn = [(1_000, 10), (1_001, 0), (1_003, 1), (1_004, 1), (1_005, 0), (9_000, 10)];
        for (seconds, expected) in drawn {
            assert_eq!(draw(&mut bucket, seconds, 99), expected, "at {seconds}");
        }
    }

    #[test]
    fn many_small_refills_are_one_large_one() {
        let tenth = Budget { capacity: 10.0, per_second: 0.1 };
        let mut bucket = Bucket { tokens: 0.0, ..Bucket::full(at(0)) };
        for second in 1..=10 {
            bucket = bucket.refilled(tenth, at(second));
        }
        assert_eq!(bucket.whole(tenth, at(10)), 1);
    }

    #[test]
    fn a_clock_that_goes_back_refills_nothing_and_does_not_stop_the_refill_after() {
        let mut bucket = Bucket::full(at(1_000));
        assert_eq!(draw(&mut bucket, 1_000, 99), 10);
        assert_eq!(draw(&mut bucket, 10, 99), 0);
        assert_eq!(draw(&mut bucket, 14, 99), 2);
    }

    #[test]
    fn a_closed_budget_gives_nothing_until_the_later_of_two_closings() {
        let mut bucket = Bucket::full(at(0));
        bucket.close(at(50));
        bucket.close(at(20));
        assert_eq!((bucket.whole(BUDGET, at(49)), bucket.whole(BUDGET, at(50))), (0, 10));
    }

    #[test]
    fn commands_draw_the_upper_half_and_are_told_when_the_next_token_comes() {
        let bucket = Bucket::full(at(0));
        let (drawn, left) = bucket.draw_spare(BUDGET, at(0), 99);
        assert_eq!(drawn, Drawn { tokens: 5, wait: Duration::ZERO });
        let left = left.unwrap();
        assert_eq!(left.whole(BUDGET, at(0)), 5, "the lower half is for runs");
        assert_eq!(left.draw_spare(BUDGET, at(0), 1).0, Drawn { tokens: 0, wait: Duration::from_secs(2) });
        assert_eq!(left.draw_spare(BUDGET, at(2), 9).0.tokens, 1);
        let mut closed = left;
        closed.close(at(60));
        assert_eq!(closed.draw_spare(BUDGET, at(50), 1).0.wait, Duration::from_secs(10));
    }

    #[test]
    fn the_smallest_budgets_can_be_drawn_too_and_a_budget_without_refill_asks_for_a_day() {
        for (capacity, tokens) in [(1.0, 1), (2.0, 1), (3.0, 1), (4.0, 2)] {
            let (drawn, _) = Bucket::full(at(0)).draw_spare(Budget { capacity, per_second: 0.0 }, at(0), 9);
            assert_eq!(drawn.tokens, tokens, "{capacity}");
        }
        let empty = Bucket { tokens: 0.0, ..Bucket::full(at(0)) };
        let wait = empty.draw_spare(Budget { capacity: 10.0, per_second: 0.0 }, at(0), 1).0.wait;
        assert_eq!(wait, Duration::from_hours(24));
    }
}
