//! When an operation will probably end, from how long it took before. Pure.

use std::time::Duration;

/// The probable duration of an operation, and how far from it most operations end.
///
/// Durations vary by factors, so both are of logarithms. Recent durations count more, because a backup grows with its
/// app, and an odd night does not count at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DurationForecast {
    /// The mean of the logarithms, in seconds.
    centre: f64,
    /// The standard deviation of the logarithms.
    spread: f64,
}

/// How many past durations a forecast uses.
pub const PAST_DURATIONS: usize = 20;

/// Where to look, in spreads after the centre: few operations end long before the first look, and most before the
/// second.
const LOOKS: [f64; 3] = [0.3, 0.95, 1.8];

/// The weight of a duration, as a share of the next newer one's.
const FADING: f64 = 0.95;
/// A duration this many robust spreads from the median is odd.
const ODD: f64 = 3.0;
/// No duration within this distance of the median's logarithm is odd.
const NEAR: f64 = 0.06;
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
        let usual = usual(&logarithms)?;
        let mean = |value: &dyn Fn(f64) -> f64| {
            let (sum, weights) = usual.iter().fold((0.0, 0.0), |(sum, weights), (logarithm, weight)| {
                (sum + weight * value(*logarithm), weights + weight)
            });
            sum / weights
        };
        let centre = mean(&|logarithm| logarithm);
        let spread = if logarithms.len() < ENOUGH || usual.len() < 2 {
            UNKNOWN_SPREAD
        } else {
            let count = f64::from(u32::try_from(usual.len()).unwrap_or(u32::MAX));
            let variance = mean(&|logarithm| (logarithm - centre).powi(2)) * count / (count - 1.0);
            variance.sqrt().max(LEAST_SPREAD)
        };
        Some(Self { centre, spread })
    }

    /// How long the operation usually takes.
    pub fn usual(&self) -> Duration {
        self.after_centre(0.0)
    }

    /// How long after its start the operation is worth a look, not before `soonest`; `None` once it takes longer than
    /// expected.
    pub fn next_look(&self, soonest: Duration) -> Option<Duration> {
        LOOKS.into_iter().map(|spreads| self.after_centre(spreads)).find(|look| *look > soonest)
    }

    fn after_centre(&self, spreads: f64) -> Duration {
        Duration::try_from_secs_f64((self.centre + spreads * self.spread).exp()).unwrap_or(Duration::MAX)
    }
}

/// The logarithms without the odd ones, each with its weight; `None` of nothing.
fn usual(logarithms: &[f64]) -> Option<Vec<(f64, f64)>> {
    let median = median_of(logarithms.to_vec())?;
    let distance = |logarithm: f64| (logarithm - median).abs();
    let spread = median_of(logarithms.iter().copied().map(distance).collect())? * DEVIATIONS;
    let weights = std::iter::successors(Some(1.0), |weight| Some(weight * FADING));
    let usual = logarithms.iter().copied().zip(weights);
    Some(usual.filter(|(logarithm, _)| distance(*logarithm) <= (ODD * spread).max(NEAR)).collect())
}

fn median_of(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    let lower = if values.len().is_multiple_of(2) { *values.get(middle.checked_sub(1)?)? } else { upper };
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
        assert_eq!(looks(&[200]), [206, 219, 239]);
    }

    #[test]
    fn steady_durations_give_looks_close_together_and_varied_ones_far_apart() {
        assert_eq!(looks(&[200, 200, 200, 200, 200]), [201, 203, 207]);
        assert_eq!(looks(&[200, 150, 260, 180, 230]), [212, 244, 293]);
    }

    #[test]
    fn newer_durations_count_more() {
        assert!(looks(&[4_000, 4_000, 4_100, 4_100])[0] < looks(&[4_100, 4_100, 4_000, 4_000])[0]);
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
