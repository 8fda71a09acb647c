//! A month of UTC.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, Months, NaiveDate, NaiveTime};
use holdfast_model::Timestamp;

/// A month of UTC, such as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    first: NaiveDate,
    /// The first day of the next month.
    end: NaiveDate,
}

/// The text is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a month such as 2026-11")]
pub struct InvalidMonth;

impl Month {
    /// Its first day.
    pub fn first(self) -> NaiveDate {
        self.first
    }

    /// Whether the day is in it.
    pub fn has_day(self, day: NaiveDate) -> bool {
        self.first <= day && day < self.end
    }

    /// Whether the time is in it.
    pub fn has(self, at: Timestamp) -> bool {
        self.has_day(at.date_naive())
    }

    /// When it begins.
    pub fn begin(self) -> Timestamp {
        self.first.and_time(NaiveTime::MIN).and_utc()
    }

    /// When the next one begins.
    pub fn end(self) -> Timestamp {
        self.end.and_time(NaiveTime::MIN).and_utc()
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (year, month) = text
            .split_once('-')
            .filter(|parts| is_digits(parts.0, 4) && is_digits(parts.1, 2))
            .ok_or(InvalidMonth)?;
        let number = |text: &str| text.parse().map_err(|_| InvalidMonth);
        let year = year.parse().map_err(|_| InvalidMonth)?;
        let first = NaiveDate::from_ymd_opt(year, number(month)?, 1).ok_or(InvalidMonth)?;
        let end = first.checked_add_months(Months::new(1)).ok_or(InvalidMonth)?;
        Ok(Self { first, end })
    }
}

fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}
