//! Pauses between retries and between polls.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::{PollPace, Retry};

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
/// `typical` is how long the app's last backup took. Before that time one poll shortly after it is enough;
/// otherwise the time waited doubles from poll to poll, within the policy's bounds.
pub fn poll_delay(
    pace: &PollPace,
    waited: Duration,
    typical: Option<Duration>,
    rng: &mut fastrand::Rng,
) -> Duration {
    // A poll a little after the usual end finds most backups done; an earlier one would waste a call.
    let expected = typical.map(|typical| typical + typical / 10).filter(|end| *end > waited + pace.first);
    match expected {
        Some(end) => end.saturating_sub(waited).min(pace.max * 10),
        None => jitter(waited.clamp(pace.first, pace.max.max(pace.first)), rng).max(pace.first),
    }
}

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
    fn a_known_app_is_asked_just_after_its_usual_end() {
        let typical = Some(Duration::from_secs(200));
        let pause = poll_delay(&PollPace::default(), Duration::ZERO, typical, &mut rng());
        assert_eq!(pause, Duration::from_secs(220));
        let late = poll_delay(&PollPace::default(), Duration::from_secs(230), typical, &mut rng());
        assert!(late <= Duration::from_mins(1));
    }

    proptest! {
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
