//! Times of day, and spans between two of them.

use std::fmt;
use std::str::FromStr;

use holdfast_model::{Timestamp, Zone};

/// A time of day, in minutes after midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockTime(u16);

/// A span of each day; it may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietTime {
    /// Its first minute.
    pub from: ClockTime,
    /// The minute after its last.
    pub to: ClockTime,
}

/// A text that is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time of day such as \"08:00\"")]
pub struct InvalidClockTime;

/// A text that is no span of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a span of the day such as \"22:00-06:00\"")]
pub struct InvalidQuietTime;

impl ClockTime {
    /// The time of day that the zone's clocks show.
    pub fn of(at: Timestamp, zone: &Zone) -> Self {
        use chrono::Timelike as _;
        let local = zone.local(at);
        Self(u16::try_from(local.hour() * 60 + local.minute()).unwrap_or(0))
    }
}

impl QuietTime {
    /// Whether a time of day is in it.
    pub fn contains(self, time: ClockTime) -> bool {
        let Self { from, to } = self;
        if from <= to { (from..to).contains(&time) } else { time >= from || time < to }
    }
}

impl FromStr for ClockTime {
    type Err = InvalidClockTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str, below: u16| {
            let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number: &u16| is_plain && *number < below)
        };
        let (hour, minute) = text.split_once(':').ok_or(InvalidClockTime)?;
        let (hour, minute) = number(hour, 24).zip(number(minute, 60)).ok_or(InvalidClockTime)?;
        Ok(Self(hour * 60 + minute))
    }
}

impl FromStr for QuietTime {
    type Err = InvalidQuietTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.split_once('-').ok_or(InvalidQuietTime)?;
        let (from, to) = (from.trim().parse(), to.trim().parse());
        let (from, to) = (from.map_err(|_| InvalidQuietTime)?, to.map_err(|_| InvalidQuietTime)?);
        if from == to { Err(InvalidQuietTime) } else { Ok(Self { from, to }) }
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_time_may_go_over_midnight() {
        let night: QuietTime = "22:00-06:00".parse().unwrap();
        let is_in = |text: &str| night.contains(text.parse().unwrap());
        assert!(is_in("22:00") && is_in("00:00") && is_in("05:59"));
        assert!(!is_in("06:00") && !is_in("21:59"));
        let noon: QuietTime = "12:00 - 13:30".parse().unwrap();
        assert!(noon.contains("13:29".parse().unwrap()) && !noon.contains("13:30".parse().unwrap()));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "8:00", "24:00", "08:60", "08", "+8:00", "08:00:00"] {
            assert!(text.parse::<ClockTime>().is_err(), "{text}");
        }
        for text in ["08:00", "08:00-08:00", "08:00-25:00"] {
            assert!(text.parse::<QuietTime>().is_err(), "{text}");
        }
    }
}
