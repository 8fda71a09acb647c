//! Pauses between retries and between polls.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::{DurationForecast, PollPace, Retry, Timestamp};

/// The pause after failure number `failure` (from 1) under a retry rule.
///
/// The first pause doubles with each failure up to the longest, less up to a fifth at random, so that apps that
/// failed together do not retry together.
pub fn retry_delay(rule: &Retry, failure: u32, rng: &mut fastrand::Rng) -> Duration {
    let mut pauses = ExponentialBuilder::new()
        .with_factor(2.0)
        .with_min_delay(rule.first.min(rule.max))
        .with_max_delay(rule.max)
        .without_max_times()
        .build();
    // Beyond 64 doublings every pause is the longest.
    let index = usize::try_from(failure.clamp(1, 64) - 1).unwrap_or(0);
    let pause = pauses.nth(index).unwrap_or(rule.max);
    jitter(pause, rng)
}

/// The pause before the next poll of a backup that Azure accepted `waited` ago.
///
/// With a forecast, the polls are where it expects the end, and then at a growing distance. Without one, the time
/// waited doubles from poll to poll, within the policy's bounds.
pub fn poll_delay(
    pace: &PollPace,
    waited: Duration,
    forecast: Option<DurationForecast>,
    rng: &mut fastrand::Rng,
) -> Duration {
    let Some(forecast) = forecast else {
        return jitter(waited.clamp(pace.first, pace.max.max(pace.first)), rng).max(pace.first);
    };
    let longest = (pace.max * FORECAST_PAUSES).max(pace.first);
    match forecast.next_look(waited + pace.first) {
        // A long operation is looked at half-way too: it may have failed early.
        Some(look) => look.saturating_sub(waited).min(longest.max(forecast.usual() / 2)),
        None => jitter(waited.mul_f64(LATE_GROWTH).clamp(pace.first, longest), rng).max(pace.first),
    }
}

/// The time of a poll about `pause` after `now`: at the nearest full second, unless the pause is short. Polls of many runs then
/// come due together, so that few transactions hold them all.
pub fn poll_time(now: Timestamp, pause: Duration) -> Timestamp {
    let time = now + pause;
    let nearest = (time.timestamp_millis() + 500).div_euclid(1_000);
    Timestamp::from_timestamp_secs(nearest).filter(|_| pause >= LONG_PAUSE).unwrap_or(time)
}

/// The shortest pause after which half a second does not matter.
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause under a forecast, in longest pauses without one.
const FORECAST_PAUSES: u32 = 20;
/// The pause after the expected end, as a share of the time waited.
const LATE_GROWTH: f64 = 0.4;

/// The pause less up to a fifth of it, at random.
pub fn jitter(pause: Duration, rng: &mut fastrand::Rng) -> Duration {
    pause.mul_f64(1.0 - rng.f64() / 5.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rng() -> fastrand::Rng {
        fastrand::Rng::with_seed(7)
    }

    #[test]
    fn the_pause_doubles_up_to_the_longest() {
        let rule = Retry::seconds(9, 300, 3_600);
        let expected = [300, 600, 1_200, 2_400, 3_600, 3_600];
        for (failure, full) in (1..).zip(expected) {
            let pause = retry_delay(&rule, failure, &mut rng()).as_secs_f64();
            assert!(pause <= f64::from(full) && pause >= f64::from(full) * 0.8, "{failure}: {pause}");
        }
    }

    #[test]
    fn polls_grow_apart_from_five_seconds_to_a_minute() {
        let pace = PollPace::default();
        let mut waited = Duration::ZERO;
        let mut polls = 0;
        while waited < Duration::from_hours(1) {
            let pause = poll_delay(&pace, waited, None, &mut rng());
            assert!(pause >= pace.first && pause <= pace.max);
            waited += pause;
            polls += 1;
        }
        assert!((60..85).contains(&polls), "an hour costs one call a minute, not {polls}");
    }

    #[test]
    fn a_known_app_is_polled_just_after_its_usual_end_and_then_at_a_growing_distance() {
        let pause = |usual, waited| {
            let forecast = DurationForecast::of(&[Duration::from_secs(usual)]);
            poll_delay(&PollPace::default(), Duration::from_secs(waited), forecast, &mut rng()).as_secs()
        };
        assert_eq!([pause(200, 0), pause(200, 200), pause(200, 207), pause(200, 222)], [206, 6, 12, 17]);
        assert!((70..=88).contains(&pause(200, 250)));
        assert!((960..=1_200).contains(&pause(200, 40_000)));
    }

    #[test]
    fn a_long_backup_is_polled_half_way_too() {
        let usual = DurationForecast::of(&[Duration::from_hours(4)]);
        let pause = poll_delay(&PollPace::default(), Duration::ZERO, usual, &mut rng());
        assert_eq!(pause.as_secs(), 7_200);
    }

    proptest! {
        #[test]
        fn polls_of_long_pauses_are_at_full_seconds_near_their_own_time(
            now in 0_i64..4_000_000_000_000, pause in 0_u64..10_000_000_000,
        ) {
            let (now, pause) = (Timestamp::from_timestamp_millis(now).unwrap(), Duration::from_millis(pause));
            let time = poll_time(now, pause);
            let moved = (time - (now + pause)).abs().to_std().unwrap();
            prop_assert!(moved <= Duration::from_millis(500));
            prop_assert!(pause < LONG_PAUSE || time.timestamp_millis() % 1_000 == 0);
        }

        #[test]
        fn no_rule_and_no_count_of_failures_leaves_the_bounds(
            first in 0_u64..100_000, max in 0_u64..100_000, failure in 0_u32..u32::MAX, seed: u64,
        ) {
            let rule = Retry::seconds(1, first, max);
            let pause = retry_delay(&rule, failure, &mut fastrand::Rng::with_seed(seed));
            prop_assert!(pause <= Duration::from_secs(max));
            prop_assert!(pause >= Duration::from_secs(first.min(max)).mul_f64(0.79));
        }
    }
}
