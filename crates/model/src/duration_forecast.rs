//! When an operation will probably end, from how long it took before. Pure.

use std::time::Duration;

/// The probable duration of an operation: the median of the past ones, and their spread.
///
/// Durations vary by factors, so both are of logarithms. Medians keep one odd night from moving them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DurationForecast {
    /// The logarithm of the median, in seconds.
    median: f64,
    /// A robust standard deviation of the logarithms.
    spread: f64,
}

/// How many past durations a forecast uses. A backup grows with its app, and old ones would hold it back.
pub const PAST_DURATIONS: usize = 9;

/// Where to look, in spreads after the median: few operations end long before the first look, and most before the
/// second.
const LOOKS: [f64; 3] = [0.3, 1.0, 2.0];

/// The spread of too few durations to tell.
const UNKNOWN_SPREAD: f64 = 0.1;
/// The least spread: operations that took the same time thrice may still take a little longer.
const LEAST_SPREAD: f64 = 0.02;
/// The durations that tell a spread.
const ENOUGH: usize = 4;
/// The median of absolute deviations times this is the standard deviation of a normal distribution.
const DEVIATIONS: f64 = 1.4826;

impl DurationForecast {
    /// The forecast from past durations, the newest first; `None` without any.
    pub fn of(past: &[Duration]) -> Option<Self> {
        let logarithms: Vec<f64> =
            past.iter().take(PAST_DURATIONS).map(|took| took.as_secs_f64().max(1.0).ln()).collect();
        let median = median_of(logarithms.clone())?;
        let deviations = logarithms.iter().map(|logarithm| (logarithm - median).abs()).collect();
        let spread = match median_of(deviations) {
            Some(deviation) if logarithms.len() >= ENOUGH => (deviation * DEVIATIONS).max(LEAST_SPREAD),
            _ => UNKNOWN_SPREAD,
        };
        Some(Self { median, spread })
    }

    /// The median.
    pub fn median(&self) -> Duration {
        self.after_median(0.0)
    }

    /// How long after its start the operation is worth a look, not before `soonest`; `None` once it takes longer than
    /// expected.
    pub fn next_look(&self, soonest: Duration) -> Option<Duration> {
        LOOKS.into_iter().map(|spreads| self.after_median(spreads)).find(|look| *look > soonest)
    }

    fn after_median(&self, spreads: f64) -> Duration {
        Duration::try_from_secs_f64((self.median + spreads * self.spread).exp()).unwrap_or(Duration::MAX)
    }
}

fn median_of(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    let lower = if values.len() % 2 == 0 { *values.get(middle.checked_sub(1)?)? } else { upper };
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(past: &[u64]) -> Vec<Duration> {
        past.iter().copied().map(Duration::from_secs).collect()
    }

    fn looks(past: &[u64]) -> Vec<u64> {
        let forecast = DurationForecast::of(&seconds(past)).unwrap();
        let mut looks = Vec::new();
        let mut soonest = Duration::ZERO;
        while let Some(look) = forecast.next_look(soonest) {
            looks.push(look.as_secs());
            soonest = look;
        }
        looks
    }

    #[test]
    fn without_a_past_there_is_no_forecast() {
        assert_eq!(DurationForecast::of(&[]), None);
    }

    #[test]
    fn one_past_duration_gives_looks_shortly_after_it() {
        assert_eq!(looks(&[200]), [206, 221, 244]);
    }

    #[test]
    fn steady_durations_give_looks_close_together_and_varied_ones_far_apart() {
        assert_eq!(looks(&[200, 200, 200, 200, 200]), [201, 204, 208]);
        assert_eq!(looks(&[200, 150, 260, 180, 230]), [212, 246, 302]);
    }

    #[test]
    fn one_odd_night_moves_nothing() {
        assert_eq!(looks(&[2_000, 200, 201, 199, 200, 200]), looks(&[200, 200, 201, 199, 200, 200]));
    }

    #[test]
    fn what_was_long_ago_does_not_count() {
        let recent = [300; PAST_DURATIONS];
        assert_eq!(looks(&[&recent[..], &[20; 40]].concat()), looks(&recent));
    }

    #[test]
    fn no_duration_breaks_the_forecast() {
        let odd = [Duration::ZERO, Duration::MAX, Duration::from_nanos(1)];
        let forecast = DurationForecast::of(&odd).unwrap();
        assert!(forecast.next_look(Duration::ZERO).is_some());
        assert_eq!(forecast.next_look(Duration::MAX), None);
    }
}
