//! Cron text of crontab(5), and its times across clock changes.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDateTime, TimeDelta, Timelike};
use serde::{Deserialize, Serialize};

use super::cron_dialect::{foreign, nickname};
use super::cron_field::Refusal;
use super::cron_fields::CronFields;
use crate::{Timestamp, Zone};

/// Five cron fields or a nickname such as `@daily`, with the rules of Vixie cron and cronie.
///
/// Sunday is 0 and 7. A day matches when either day field does, unless one of them begins with `*`: then both must.
///
/// A schedule is an interval when its minute or its hour field begins with `*`. An interval follows the clocks: times
/// that a change skips do not run, and times that a change repeats run twice. All other times are fixed: what a
/// change skips runs at the first instant after the gap, and what a change repeats runs once, the first time. The
/// date counts as it was before that shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Crontab {
    text: String,
    fields: CronFields,
}

/// The text is not a cron schedule, or it names a time that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a cron schedule: {why}")]
pub struct InvalidCrontab {
    text: String,
    why: String,
    hint: Option<String>,
}

impl InvalidCrontab {
    /// What to write instead.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl Crontab {
    /// The first time after `after`, with the cron fields interpreted in `zone`.
    ///
    /// `None` when there is none before the year 10000.
    pub fn next_after(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let mut span = zone.offset_span(after)?;
        let mut earliest = Some(minute_from(after.naive_utc() + span.offset + TimeDelta::nanoseconds(1)));
        loop {
            // Fixed times continue where the clocks stood before the change, intervals where it set them.
            let first = span.began.map(|began| {
                let offset = if self.fields.is_interval { span.offset } else { began.before };
                minute_from(began.at.naive_utc() + offset)
            });
            let from = earliest.max(first)?;
            let before = span.end.map(|end| end.naive_utc() + span.offset);
            if let Some(local) = self.fields.next(from, before) {
                let at = (local - span.offset).and_utc();
                return Some(span.began.map_or(at, |began| at.max(began.at)));
            }
            earliest = None;
            span = zone.offset_span(span.end?)?;
        }
    }

    /// Whether its minute or its hour field begins with `*`.
    pub(super) fn is_interval(&self) -> bool {
        self.fields.is_interval
    }

    /// Whether it has times in every hour of the day.
    pub(super) fn is_hourly(&self) -> bool {
        self.fields.is_hourly()
    }
}

/// Rounds up to the minute.
fn minute_from(local: NaiveDateTime) -> NaiveDateTime {
    let within =
        TimeDelta::seconds(local.second().into()) + TimeDelta::nanoseconds(local.nanosecond().into());
    if within.is_zero() { local } else { local - within + TimeDelta::minutes(1) }
}

impl FromStr for Crontab {
    type Err = InvalidCrontab;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        match fields(text) {
            Ok(fields) => Ok(Self { text: text.to_owned(), fields }),
            Err(Refusal { why, hint }) => {
                Err(InvalidCrontab { text: text.chars().take(80).collect(), why, hint })
            }
        }
    }
}

fn fields(text: &str) -> Result<CronFields, Refusal> {
    if text.starts_with('@') {
        return CronFields::parse(nickname(text)?);
    }
    if let Some(refusal) = foreign(text) {
        return Err(refusal);
    }
    match text.split_whitespace().collect::<Vec<_>>().try_into() {
        Ok(five) => CronFields::parse(five),
        Err(_) => Err(Refusal::new("it does not have five fields")),
    }
}

impl fmt::Display for Crontab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Crontab {
    type Error = InvalidCrontab;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Crontab> for String {
    fn from(crontab: Crontab) -> Self {
        crontab.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{format_timestamp, parse_timestamp};

    fn times(text: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let (crontab, zone): (Crontab, Zone) = (text.parse().unwrap(), Zone::bundled(zone).unwrap());
        let next = |after: &Timestamp| crontab.next_after(*after, &zone);
        std::iter::successors(next(&parse_timestamp(after).unwrap()), next)
            .take(count)
            .map(|at| format_timestamp(at).replace(":00.000Z", ""))
            .collect()
    }

    #[test]
    fn a_skipped_time_runs_at_the_first_instant_after_the_gap() {
        let found = times("30 2 * * *", "Europe/Paris", "2026-03-28T12:00:00Z", 2);
        assert_eq!(found, ["2026-03-29T01:00", "2026-03-30T00:30"]);
    }

    #[test]
    fn a_repeated_time_runs_once_at_the_first() {
        let found = times("30 2 * * *", "Europe/Paris", "2026-10-24T12:00:00Z", 2);
        assert_eq!(found, ["2026-10-25T00:30", "2026-10-26T01:30"]);
    }

    #[test]
    fn lists_ranges_and_steps_are_fixed_times() {
        for text in ["30 2,14 * * *", "30 2-14/12 * * *"] {
            let spring = times(text, "Europe/Paris", "2027-03-27T14:00:00Z", 3);
            assert_eq!(spring, ["2027-03-28T01:00", "2027-03-28T12:30", "2027-03-29T00:30"], "{text}");
            let autumn = times(text, "Europe/Paris", "2027-10-30T13:00:00Z", 2);
            assert_eq!(autumn, ["2027-10-31T00:30", "2027-10-31T13:30"], "{text}");
        }
        let both = times("0,30 2 * * *", "Europe/Paris", "2027-03-27T14:00:00Z", 2);
        assert_eq!(both, ["2027-03-28T01:00", "2027-03-29T00:00"], "two skipped times are one tick");
    }

    #[test]
    fn intervals_follow_the_clocks_across_both_changes() {
        let spring = times("*/30 * * * *", "Europe/Paris", "2026-03-29T00:30:00Z", 3);
        assert_eq!(spring, ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-29T02:00"]);
        let autumn = times("*/30 * * * *", "Europe/Paris", "2026-10-25T00:00:00Z", 3);
        assert_eq!(autumn, ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"]);
        let skipped = times("0 */2 * * *", "Europe/Paris", "2027-03-27T22:30:00Z", 2);
        assert_eq!(skipped, ["2027-03-27T23:00", "2027-03-28T02:00"]);
        let repeated = times("0 */2 * * *", "Europe/Paris", "2027-10-30T23:30:00Z", 3);
        assert_eq!(repeated, ["2027-10-31T00:00", "2027-10-31T01:00", "2027-10-31T03:00"]);
        let lost = times("*/30 2 * * *", "Europe/Paris", "2027-03-27T12:00:00Z", 1);
        assert_eq!(lost, ["2027-03-29T00:00"], "the hour does not exist in that night");
    }

    #[test]
    fn the_date_counts_as_it_was_before_the_shift() {
        let found = times("30 23 * * 6", "America/Nuuk", "2027-03-27T12:00:00Z", 2);
        assert_eq!(found, ["2027-03-28T01:00", "2027-04-04T00:30"]);
    }

    #[test]
    fn sunday_is_zero_and_seven_and_names_count() {
        let zero = times("0 0 * * 0", "UTC", "2026-11-23T00:00:00Z", 2);
        assert_eq!(zero, ["2026-11-29T00:00", "2026-12-06T00:00"]);
        for same in ["0 0 * * 7", "0 0 * * SUN", "@weekly"] {
            assert_eq!(times(same, "UTC", "2026-11-23T00:00:00Z", 2), zero, "{same}");
        }
        assert_eq!(
            times("0 6-8/2 * JAN mon-tue", "UTC", "2026-11-23T00:00:00Z", 2),
            ["2027-01-04T06:00", "2027-01-04T08:00"]
        );
        let midnight = times("@midnight", "Europe/Paris", "2026-11-28T00:00:00Z", 2);
        assert_eq!(midnight, ["2026-11-28T23:00", "2026-11-29T23:00"]);
    }

    #[test]
    fn two_restricted_day_fields_are_either_or() {
        let found = times("0 0 13 * 5", "UTC", "2026-11-01T00:00:00Z", 3);
        assert_eq!(found, ["2026-11-06T00:00", "2026-11-13T00:00", "2026-11-20T00:00"]);
        let found = times("0 0 14 * 5", "UTC", "2026-11-07T00:00:00Z", 2);
        assert_eq!(found, ["2026-11-13T00:00", "2026-11-14T00:00"]);
    }

    #[test]
    fn both_day_fields_must_match_when_one_begins_with_a_star() {
        let found = times("0 0 */2 * 1", "UTC", "2026-11-28T00:00:00Z", 3);
        assert_eq!(found, ["2026-12-07T00:00", "2026-12-21T00:00", "2027-01-11T00:00"]);
        let first_sundays = times("0 0 1-7 * */7", "UTC", "2026-11-28T00:00:00Z", 2);
        assert_eq!(first_sundays, ["2026-12-06T00:00", "2027-01-03T00:00"]);
    }

    #[test]
    fn a_rare_date_is_found_however_far() {
        let found = times("0 0 29 2 *", "Europe/Paris", "2096-03-01T00:00:00Z", 1);
        assert_eq!(found, ["2104-02-28T23:00"]);
        let found = times("0 0 29 2 */7", "UTC", "2026-01-01T00:00:00Z", 2);
        assert_eq!(found, ["2032-02-29T00:00", "2060-02-29T00:00"]);
        let crontab: Crontab = "@daily".parse().unwrap();
        assert_eq!(crontab.next_after(Timestamp::MAX_UTC, &Zone::UTC), None);
    }

    #[test]
    fn what_is_no_cron_text_is_refused_with_what_to_write() {
        for (text, told) in [
            ("60 * * * *", "the minute field has `60`; it takes 0 to 59"),
            (
                "0 22-2 * * *",
                "the hour field has `22-2`, a range that ends before it begins; it takes 0 to 23",
            ),
            ("0 2 MON * *", "the day-of-month field has `MON`, a day of the week; it takes 1 to 31"),
            ("0 0 2 * * *", "it has 6 fields; cron has five: minute hour day-of-month month day-of-week"),
            ("0 0 30 2 *", "month `2` has no day `30`, so it matches no time"),
            ("0 0 31 4,6 *", "month `4,6` has no day `31`, so it matches no time"),
            ("@fortnightly", "it is not a nickname"),
            ("MON,", "it has 1 field; cron has five: minute hour day-of-month month day-of-week"),
            ("", "it is empty"),
        ] {
            let error = text.parse::<Crontab>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not a cron schedule: {told}"));
        }
        let error = "0 2 MON * *".parse::<Crontab>().unwrap_err();
        assert!(error.hint().unwrap().ends_with("`0 2 * * MON`"));
        assert!("0 0 30 2 1".parse::<Crontab>().is_ok(), "a Monday in February is enough");
    }

    proptest! {
        #[test]
        fn the_next_time_is_always_later(
            minute in 0..60_u32, hour in 0..24_u32, seconds in 0..4_000_000_000_i64,
            zone in proptest::sample::select(vec!["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
        ) {
            let crontab: Crontab = format!("{minute} {hour} * * *").parse().unwrap();
            let zone = Zone::bundled(zone).unwrap();
            let after = Timestamp::from_timestamp(seconds, 0).unwrap();
            let next = crontab.next_after(after, &zone).unwrap();
            prop_assert!(next > after);
            prop_assert!(next - after <= chrono::Duration::hours(26), "a daily time comes each day: {after} {next}");
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = text.parse::<Crontab>();
        }

        #[test]
        fn no_five_fields_make_it_panic(text in "([0-9*,/A-Z?#~-]{1,8} ){4,6}[0-9*,/A-Z?#-]{1,8}") {
            let _ = text.parse::<Crontab>();
        }
    }
}
