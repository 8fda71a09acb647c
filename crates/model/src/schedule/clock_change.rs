//! What a change of the clocks does to the times of an interval.

use chrono::{NaiveDateTime, TimeDelta};

use super::Schedule;
use crate::{Timestamp, Zone};

/// Local times of a schedule that a change of the clocks leaves out or repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockChange {
    /// The first of the schedule's times in question.
    pub time: NaiveDateTime,
    /// The local time at which the skipped or repeated hour begins.
    pub from: NaiveDateTime,
    /// The local time at which it ends.
    pub until: NaiveDateTime,
    /// Whether the clocks skip the hour, or else repeat it.
    pub skips: bool,
}

/// How far ahead changes are looked for: each zone with summer time has two changes of each kind.
const AHEAD: TimeDelta = TimeDelta::days(730);

impl Schedule {
    /// The next change of the clocks that leaves out times of an interval, or else the next that repeats some.
    ///
    /// `None` for fixed times, which run once a day, and for an interval in all hours of the day, whose times keep their
    /// distance.
    pub fn next_clock_change(&self, now: Timestamp) -> Option<ClockChange> {
        if !self.crontab.is_interval() || self.crontab.is_hourly() {
            return None;
        }
        let changes = || self.clock_changes(now);
        changes().find(|change| change.skips).or_else(|| changes().next())
    }

    /// The changes after `now` that concern the schedule.
    fn clock_changes(&self, now: Timestamp) -> impl Iterator<Item = ClockChange> {
        let ends = std::iter::successors(self.timezone.offset_span(now), |span| {
            self.timezone.offset_span(span.end?)
        });
        let ends = ends.take_while(move |span| span.end.is_some_and(|end| end < now + AHEAD));
        ends.filter_map(|span| {
            let end = span.end?;
            let next = self.timezone.offset_span(end)?.offset;
            let [before, after] = [span.offset, next].map(|offset| end.naive_utc() + offset);
            let (from, until) = (before.min(after), before.max(after));
            let just_before = from.and_utc() - TimeDelta::nanoseconds(1);
            let time = self.crontab.next_after(just_before, &Zone::UTC)?.naive_utc();
            (time < until).then_some(ClockChange { time, from, until, skips: after > before })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::parse_timestamp;

    fn change(crontab: &str, zone: &str) -> Option<(bool, String)> {
        let timezone = Zone::bundled(zone).unwrap();
        let schedule = Schedule { crontab: crontab.parse().unwrap(), timezone, spread: Duration::ZERO };
        let found = schedule.next_clock_change(parse_timestamp("2026-11-29T00:00:00Z").unwrap())?;
        let [time, from, until] =
            [found.time, found.from, found.until].map(|at| at.format("%F %R").to_string());
        Some((found.skips, format!("{time} in {from} to {until}")))
    }

    #[test]
    fn an_interval_within_the_changed_hour_is_left_out_or_repeated() {
        let spring =
            |time: &str| Some((true, format!("2027-03-28 {time} in 2027-03-28 02:00 to 2027-03-28 03:00")));
        assert_eq!(change("*/30 2 * * *", "Europe/Paris"), spring("02:00"));
        assert_eq!(change("30 */2 * * *", "Europe/Paris"), spring("02:30"));
        let autumn = "2027-10-31 02:15 in 2027-10-31 02:00 to 2027-10-31 03:00".to_owned();
        assert_eq!(change("15 */2 31 10 *", "Europe/Paris"), Some((false, autumn)));
        let lord_howe = "2027-10-03 02:00 in 2027-10-03 02:00 to 2027-10-03 02:30".to_owned();
        assert_eq!(change("*/10 2 * * *", "Australia/Lord_Howe"), Some((true, lord_howe)));
    }

    #[test]
    fn what_keeps_its_times_or_its_distance_is_not_concerned() {
        for (crontab, zone) in [
            ("30 2 * * *", "Europe/Paris"),
            ("0,30 2 * * *", "Europe/Paris"),
            ("@daily", "America/Santiago"),
            ("*/30 * * * *", "Europe/Paris"),
            ("0 * * * *", "Europe/Paris"),
            ("0 */1 * * *", "Europe/Paris"),
            ("*/30 4 * * *", "Europe/Paris"),
            ("*/30 2 * * 1", "Europe/Paris"),
            ("*/30 2 * * *", "UTC"),
            ("*/30 2 * * *", "Asia/Kolkata"),
        ] {
            assert_eq!(change(crontab, zone), None, "{crontab} {zone}");
        }
    }
}
