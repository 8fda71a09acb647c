//! Schedules against the reference, around the changes of the clocks.

use chrono::TimeDelta;
use holdfast_model::schedule::Crontab;
use holdfast_model::{Timestamp, Zone, parse_timestamp};

use crate::cron_reference::{Clocks, Reference, changes};
use crate::cron_texts;

/// Zones whose clocks change by half an hour or two hours, at midnight, before midnight, or by the moon.
const ODD: [&str; 12] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Nuuk",
    "America/Santiago",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Paris",
    "Pacific/Chatham",
];

/// Texts drawn at random for each change, besides one of each kind.
const RANDOM: usize = 8;

#[derive(Default)]
struct Compared {
    changes: usize,
    schedules: usize,
    times: usize,
    differences: Vec<String>,
}

fn time(text: &str) -> Timestamp {
    parse_timestamp(text).unwrap()
}

fn changes_of(name: &str) -> (Zone, Vec<Timestamp>) {
    let zone = Zone::bundled(name).unwrap();
    let mut changes = changes(&zone, time("2024-01-01T00:00:00Z"), time("2031-01-01T00:00:00Z"));
    if changes.is_empty() {
        // A zone without changes is compared around a turn of the year.
        changes.push(time("2027-01-01T00:00:00Z"));
    }
    (zone, changes)
}

impl Compared {
    /// Compares every kind of schedule in the three days around a change.
    fn compare(&mut self, zone: &Zone, change: Timestamp) {
        let mut rng = fastrand::Rng::with_seed(change.timestamp().unsigned_abs());
        let start = change - TimeDelta::hours(36);
        let clocks = Clocks::new(zone, start, 72 * 60);
        let mut texts = cron_texts::kinds(zone.local(change - TimeDelta::seconds(1)));
        texts.extend(cron_texts::kinds(zone.local(change - TimeDelta::hours(1))));
        texts.extend((0..RANDOM).map(|_| cron_texts::any(&mut rng)));
        texts.sort();
        texts.dedup();
        self.changes += 1;
        for text in texts {
            let Ok(crontab) = text.parse::<Crontab>() else {
                // Only a date that no year has may be refused.
                assert!(Reference::new(&text).times(&clocks).is_empty(), "{text}");
                continue;
            };
            let expected = Reference::new(&text).times(&clocks);
            let next = |after: &Timestamp| crontab.next_after(*after, zone).filter(|at| *at <= clocks.end());
            let found: Vec<Timestamp> = std::iter::successors(next(&start), next).collect();
            if found != expected {
                self.differences
                    .push(format!("{text} {zone} around {change}: {found:?}, and not {expected:?}"));
            }
            let seconds = [-1, 0, 1, 1_799, 3_599, 3_601, rng.i64(-86_400..86_400), rng.i64(-86_400..86_400)];
            for after in seconds.map(|seconds| change + TimeDelta::seconds(seconds)) {
                if next(&after) != expected.iter().find(|at| **at > after).copied() {
                    self.differences.push(format!("{text} {zone} after {after}: {:?}", next(&after)));
                }
            }
            self.schedules += 1;
            self.times += expected.len();
        }
    }

    fn assert_none_differs(&self) {
        let first: Vec<&String> = self.differences.iter().take(10).collect();
        assert!(first.is_empty(), "{} differences: {first:#?}", self.differences.len());
    }
}

#[test]
fn odd_clock_changes_give_the_times_of_the_reference() {
    let mut compared = Compared::default();
    for (index, name) in ODD.into_iter().enumerate() {
        let (zone, changes) = changes_of(name);
        // Springs and autumns of different years in turn.
        compared.compare(&zone, changes[index % changes.len()]);
    }
    for name in Zone::bundled_names().step_by(149) {
        let (zone, changes) = changes_of(name);
        compared.compare(&zone, changes[changes.len() / 2]);
    }
    compared.assert_none_differs();
}

#[test]
#[ignore = "minutes in release: cargo nextest run --release -p holdfast-model --run-ignored only"]
fn every_clock_change_of_every_zone_gives_the_times_of_the_reference() {
    let names: Vec<&str> = Zone::bundled_names().collect();
    let mut all = Compared::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = names
            .chunks(names.len().div_ceil(2))
            .map(|names| {
                scope.spawn(move || {
                    let mut compared = Compared::default();
                    for name in names {
                        let (zone, changes) = changes_of(name);
                        for change in changes {
                            compared.compare(&zone, change);
                        }
                    }
                    compared
                })
            })
            .collect();
        for thread in threads {
            let part = thread.join().unwrap();
            all.changes += part.changes;
            all.schedules += part.schedules;
            all.times += part.times;
            all.differences.extend(part.differences);
        }
    });
    let Compared { changes, schedules, times, differences } = &all;
    let (zones, differences) = (names.len(), differences.len());
    println!(
        "{zones} zones, {changes} changes, {schedules} schedules, {times} times, {differences} differences"
    );
    all.assert_none_differs();
}
