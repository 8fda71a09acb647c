//! Cron text of crontab(5), and its times across clock changes.

use std::fmt;
use std::str::FromStr;

use chrono::{TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Five cron fields or a nickname such as `@daily`.
///
/// Sunday is 0 and 7; when both day fields are restricted either one matches. A fixed time that a clock change skips
/// becomes the first instant after the gap; a fixed time that a clock change repeats counts once, the first time.
/// Intervals (`*/15`) keep their distance across clock changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Crontab {
    text: String,
    cron: Cron,
}

/// The text is not a cron schedule, or it names a time that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a cron schedule: {why}")]
pub struct InvalidCrontab {
    text: String,
    why: String,
}

impl Crontab {
    /// The first time after `after`, with the cron fields interpreted in `zone`.
    pub fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let local = zone.from_utc_datetime(&after.naive_utc());
        self.cron.find_next_occurrence(&local, false).ok().map(|time| time.with_timezone(&Utc))
    }
}

impl FromStr for Crontab {
    type Err = InvalidCrontab;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let invalid = |why: String| InvalidCrontab { text: text.chars().take(80).collect(), why };
        let fields = text.split_whitespace().count();
        if !text.starts_with('@') && fields != 5 {
            return Err(invalid(format!(
                "it has {fields} fields; expected five (minute hour day-of-month month day-of-week) or @hourly, \
                 @daily, @weekly, @monthly, @yearly"
            )));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|why| invalid(why.to_string()))?;
        let crontab = Self { text: text.to_owned(), cron };
        // Some texts parse but match no day, such as 30 February.
        match crontab.next_after(Timestamp::UNIX_EPOCH, Tz::UTC) {
            Some(_) => Ok(crontab),
            None => Err(invalid("it matches no time".to_owned())),
        }
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
        let (crontab, zone): (Crontab, Tz) = (text.parse().unwrap(), zone.parse().unwrap());
        let mut at = parse_timestamp(after).unwrap();
        let mut times = Vec::new();
        for _ in 0..count {
            at = crontab.next_after(at, zone).unwrap();
            times.push(format_timestamp(at).replace(":00.000Z", ""));
        }
        times
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
    fn an_interval_keeps_its_distance_across_both_changes() {
        let spring = times("*/30 * * * *", "Europe/Paris", "2026-03-29T00:30:00Z", 3);
        assert_eq!(spring, ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-29T02:00"]);
        let autumn = times("*/30 * * * *", "Europe/Paris", "2026-10-25T00:00:00Z", 3);
        assert_eq!(autumn, ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"]);
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
    }

    #[test]
    fn two_restricted_day_fields_are_either_or() {
        let found = times("0 0 13 * 5", "UTC", "2026-11-01T00:00:00Z", 3);
        assert_eq!(found, ["2026-11-06T00:00", "2026-11-13T00:00", "2026-11-20T00:00"]);
        let found = times("0 0 14 * 5", "UTC", "2026-11-07T00:00:00Z", 2);
        assert_eq!(found, ["2026-11-13T00:00", "2026-11-14T00:00"]);
    }

    #[test]
    fn what_is_no_cron_text_is_refused_with_what_was_expected() {
        for text in
            ["", "0 2 * *", "0 2 * * * *", "61 * * * *", "0 25 * * *", "@fortnightly", "0 0 30 2 *", "x"]
        {
            let error = text.parse::<Crontab>().unwrap_err().to_string();
            assert!(error.contains("is not a cron schedule"), "{error}");
        }
        assert!("0 2 * *".parse::<Crontab>().unwrap_err().to_string().contains("expected five"));
    }

    proptest! {
        #[test]
        fn the_next_time_is_always_later(
            minute in 0..60_u32, hour in 0..24_u32, seconds in 0..4_000_000_000_i64,
            zone in proptest::sample::select(vec!["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
        ) {
            let crontab: Crontab = format!("{minute} {hour} * * *").parse().unwrap();
            let zone: Tz = zone.parse().unwrap();
            let after = Timestamp::from_timestamp(seconds, 0).unwrap();
            let next = crontab.next_after(after, zone).unwrap();
            prop_assert!(next > after);
            prop_assert!(next - after <= chrono::Duration::hours(26), "a daily time comes each day: {after} {next}");
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = text.parse::<Crontab>();
        }
    }
}
