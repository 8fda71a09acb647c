//! What polling costs, and how late it notices an end: the same durations under several rules.
//!
//! Each app has a usual duration that grows slowly, a spread from night to night, and an odd night now and then.

use std::time::Duration;

use holdfast_model::{DurationForecast, PAST_DURATIONS, PollPace, Timestamp, poll_delay, poll_time};

use crate::report::Polling;

const APPS: usize = 200;
const NIGHTS: usize = 120;
/// Nights before the figures count, so that each app has a past.
const FIRST_NIGHTS: usize = PAST_DURATIONS;
/// The spread of the usual durations over the apps, around four minutes, and of an app's durations over its nights:
/// standard deviations of logarithms.
const USUAL_SECONDS: f64 = 240.0;
const SPREAD_OF_APPS: f64 = 0.8;
const SPREAD_OF_NIGHTS: f64 = 0.08;
/// The mean growth per night, and its own spread.
const GROWTH: f64 = 0.002;
/// One night in this many takes twice to five times as long.
const ODD_NIGHTS: u32 = 33;

/// A rule: when to poll next, after a time waited, with the past durations, the newest first.
type Rule = fn(Duration, &[Duration], &mut fastrand::Rng) -> Duration;

const RULES: [(&str, Rule); 5] = [
    ("every 5 s", |_, _, _| Duration::from_secs(5)),
    ("every 30 s", |_, _, _| Duration::from_secs(30)),
    ("growing pauses, no history", |waited, _, rng| poll_delay(&PollPace::default(), waited, None, rng)),
    ("a tenth after the last duration", after_the_last),
    ("Holdfast", holdfast),
];

fn holdfast(waited: Duration, past: &[Duration], rng: &mut fastrand::Rng) -> Duration {
    let pause = poll_delay(&PollPace::default(), waited, DurationForecast::of(past), rng);
    // Backups begin at any time, and polls are at full seconds.
    let now = Timestamp::UNIX_EPOCH + Duration::from_millis(rng.u64(..3_600_000));
    (poll_time(now, pause) - now).to_std().unwrap()
}

fn after_the_last(waited: Duration, past: &[Duration], rng: &mut fastrand::Rng) -> Duration {
    let end = past.first().map(|last| *last + *last / 10);
    let end = end.filter(|end| *end > waited + Duration::from_secs(5));
    end.map_or_else(|| poll_delay(&PollPace::default(), waited, None, rng), |end| end.saturating_sub(waited))
}

/// The durations of an app, night by night.
fn nights(rng: &mut fastrand::Rng) -> Vec<Duration> {
    let usual = USUAL_SECONDS * (SPREAD_OF_APPS * normal(rng)).exp();
    let growth = GROWTH * (1.0 + normal(rng));
    let night = |night: usize| {
        let odd = if rng.u32(..ODD_NIGHTS) == 0 { 2.0 + 3.0 * rng.f64() } else { 1.0 };
        let log = growth * night as f64 + SPREAD_OF_NIGHTS * normal(rng);
        Duration::from_secs_f64((usual * odd * log.exp()).max(5.0))
    };
    (0..NIGHTS).map(night).collect()
}

/// A number from the standard normal distribution.
fn normal(rng: &mut fastrand::Rng) -> f64 {
    let (radius, angle) = ((-2.0 * (1.0 - rng.f64()).ln()).sqrt(), std::f64::consts::TAU * rng.f64());
    radius * angle.cos()
}

/// The requests of a backup, including the POST, and the lag of the last as a share of the duration.
fn poll_to_the_end(rule: Rule, took: Duration, past: &[Duration], rng: &mut fastrand::Rng) -> (f64, f64) {
    let (mut waited, mut calls) = (Duration::ZERO, 1.0);
    while waited < took {
        waited += rule(waited, past, rng);
        calls += 1.0;
    }
    (calls, waited.as_secs_f64() / took.as_secs_f64() - 1.0)
}

/// Measures each rule.
pub(crate) fn measure() -> Vec<Polling> {
    let clairvoyant = Polling { rule: "clairvoyant".into(), calls_per_backup: 2.0, median_lag_percent: 0.0 };
    let measured = RULES.map(|(name, rule)| measure_rule(name, rule));
    [clairvoyant].into_iter().chain(measured).collect()
}

fn measure_rule(name: &str, rule: Rule) -> Polling {
    let (mut durations, mut jitter) = (fastrand::Rng::with_seed(11), fastrand::Rng::with_seed(12));
    let (mut calls, mut lags) = (Vec::new(), Vec::new());
    for _ in 0..APPS {
        let nights = nights(&mut durations);
        for (night, took) in nights.iter().enumerate().skip(FIRST_NIGHTS) {
            let past: Vec<Duration> = nights[..night].iter().rev().copied().take(PAST_DURATIONS).collect();
            let (count, lag) = poll_to_the_end(rule, *took, &past, &mut jitter);
            calls.push(count);
            lags.push(lag * 100.0);
        }
    }
    let mean = calls.iter().sum::<f64>() / calls.len() as f64;
    Polling { rule: name.into(), calls_per_backup: mean, median_lag_percent: crate::report::median(lags) }
}
