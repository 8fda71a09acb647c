//! Lengths of time as people write and read them: weeks, days, hours, minutes, seconds, milliseconds.

use std::time::Duration;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// The text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDuration(String);

/// Parses a duration such as `90s`, `2h` or `1h 30m`: whole numbers, each with its unit, added up.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(invalid("the text is empty"));
    }
    if rest.starts_with(['P', 'p']) {
        return Err(invalid("durations of ISO 8601 are not read: write `1h 30m` in place of `PT1H30M`"));
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        if number.is_empty() {
            return Err(invalid("each part is a whole number and its unit, such as `1h 30m`"));
        }
        let (unit, after) = split(after.trim_start(), char::is_alphabetic);
        let milliseconds = match unit {
            "" => return Err(without_unit(number, after)),
            unit => length(unit).ok_or_else(|| unknown_unit(number, unit))?,
        };
        let part = number.parse().ok().and_then(|number: u64| number.checked_mul(milliseconds));
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(|| invalid("it is too long"))?;
        rest = after.trim_start();
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration in days, hours, minutes and seconds, such as `1d 2h`, as [`parse_duration`] reads it.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut parts = Vec::new();
    for (unit, length) in [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1)] {
        let number = rest / length;
        rest %= length;
        if number > 0 {
            parts.push(format!("{number}{unit}"));
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// The milliseconds of a unit.
fn length(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => MINUTE,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
        "d" | "day" | "days" => DAY,
        "w" | "wk" | "wks" | "week" | "weeks" => WEEK,
        _ => return None,
    })
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

fn without_unit(number: &str, after: &str) -> InvalidDuration {
    if after.starts_with(['.', ',']) {
        return invalid("fractions are not read: write `1h 30m` in place of `1.5h`");
    }
    InvalidDuration(format!(
        "`{number}` has no unit: write `{number}s`, `{number}m`, `{number}h` or `{number}d`"
    ))
}

fn unknown_unit(number: &str, unit: &str) -> InvalidDuration {
    let days = |each: u64| match number.parse().ok().and_then(|number: u64| number.checked_mul(each)) {
        Some(days) => format!("days, such as `{days}d`"),
        None => "days".to_owned(),
    };
    let folded = unit.to_lowercase();
    InvalidDuration(match folded.as_str() {
        "m" => format!(
            "`M` stands for months, which have no fixed length: write `{number}m` for minutes, or {}",
            days(30)
        ),
        "mo" | "mon" | "mons" | "month" | "months" => {
            format!("months have no fixed length: write {}", days(30))
        }
        "y" | "yr" | "yrs" | "year" | "years" => format!("years have no fixed length: write {}", days(365)),
        "us" | "usec" | "µs" | "ns" | "nsec" => "the shortest unit is the millisecond, `ms`".to_owned(),
        folded if length(folded).is_some() => {
            format!("units are written in lower case: write `{number}{folded}`")
        }
        _ => format!("`{unit}` is not a unit: the units are `ms`, `s`, `m`, `h`, `d` and `w`"),
    })
}

fn invalid(why: &str) -> InvalidDuration {
    InvalidDuration(why.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_read_short_and_long_and_added_up() {
        for (text, seconds) in [
            ("90s", 90),
            ("5m", 300),
            ("2h", 7_200),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            (" 7 days ", 604_800),
            ("1w", 604_800),
            ("1 hour 1 min 1 sec", 3_661),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn months_and_other_texts_are_refused_with_what_to_write() {
        for (text, hint) in [
            (
                "5M",
                "`M` stands for months, which have no fixed length: write `5m` for minutes, or days, such as `150d`",
            ),
            ("2 months", "months have no fixed length: write days, such as `60d`"),
            ("1y", "years have no fixed length: write days, such as `365d`"),
            ("5H", "units are written in lower case: write `5h`"),
            ("90", "`90` has no unit: write `90s`, `90m`, `90h` or `90d`"),
            ("1h 30", "`30` has no unit: write `30s`, `30m`, `30h` or `30d`"),
            ("1.5h", "fractions are not read: write `1h 30m` in place of `1.5h`"),
            ("PT5M", "durations of ISO 8601 are not read: write `1h 30m` in place of `PT1H30M`"),
            ("5 fortnights", "`fortnights` is not a unit: the units are `ms`, `s`, `m`, `h`, `d` and `w`"),
            ("10us", "the shortest unit is the millisecond, `ms`"),
            ("-5m", "each part is a whole number and its unit, such as `1h 30m`"),
            ("h", "each part is a whole number and its unit, such as `1h 30m`"),
            ("", "the text is empty"),
            ("99999999999999999999d", "it is too long"),
            ("18446744073709551615w", "it is too long"),
        ] {
            assert_eq!(parse_duration(text).unwrap_err().to_string(), hint, "{text}");
        }
    }

    #[test]
    fn lengths_are_shown_as_days_and_hours() {
        for (seconds, shown) in [
            (0, "0s"),
            (90, "1m 30s"),
            (90_000, "1d 1h"),
            (172_800, "2d"),
            (5_270_400, "61d"),
            (31_622_400, "366d"),
        ] {
            assert_eq!(format_duration(Duration::from_secs(seconds)), shown);
        }
        assert_eq!(format_duration(Duration::from_millis(1_250)), "1s 250ms");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again_as_the_same(milliseconds in 0..40_000_000_000_u64) {
            let duration = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = parse_duration(&text);
        }
    }
}
