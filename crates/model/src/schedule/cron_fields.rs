//! The five fields of a cron schedule, and the local times that they match.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};

use super::cron_field::{Field, Refusal, Values};

/// The values of the five fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CronFields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day matches when one of the two day fields does; otherwise both must.
    either_day: bool,
    /// Whether the minute or the hour field begins with `*`.
    pub is_interval: bool,
}

impl CronFields {
    /// Parses five fields.
    pub fn parse([minute, hour, day, month, weekday]: [&str; 5]) -> Result<Self, Refusal> {
        let minutes = Field::Minute.parse(minute)?;
        let hours = Field::Hour.parse(hour)?;
        let days = Field::DayOfMonth.parse(day)?;
        let months = Field::Month.parse(month)?;
        let weekdays = Field::DayOfWeek.parse(weekday)?;
        let fields = Self {
            minutes: minutes.bits,
            hours: hours.bits,
            days: days.bits,
            months: months.bits,
            weekdays: weekdays.bits,
            either_day: !days.starred && !weekdays.starred,
            is_interval: minutes.starred || hours.starred,
        };
        if !fields.either_day && !fields.has_a_date() {
            return Err(never(day, month, months));
        }
        Ok(fields)
    }

    /// The first local time from `from` and before `before` that the fields match.
    pub fn next(&self, from: NaiveDateTime, before: Option<NaiveDateTime>) -> Option<NaiveDateTime> {
        let (mut date, mut minute) = (from.date(), from.hour() * 60 + from.minute());
        loop {
            if before.is_some_and(|before| date > before.date()) {
                return None;
            }
            if !is_set(self.months, date.month()) {
                date = first_of_next_month(date)?;
                minute = 0;
                continue;
            }
            if self.has_day(date)
                && let Some(minute) = self.minute_of_day(minute)
            {
                let time = date.and_hms_opt(minute / 60, minute % 60, 0)?;
                return before.is_none_or(|before| time < before).then_some(time);
            }
            date = date.succ_opt()?;
            minute = 0;
        }
    }

    /// Whether every hour of the day matches.
    pub fn is_hourly(&self) -> bool {
        self.hours == (1 << 24) - 1
    }

    fn has_day(&self, date: NaiveDate) -> bool {
        let day = is_set(self.days, date.day());
        let weekday = is_set(self.weekdays, date.weekday().num_days_from_sunday());
        if self.either_day { day || weekday } else { day && weekday }
    }

    /// The first matching minute of a day, from minute `from` of it.
    fn minute_of_day(&self, from: u32) -> Option<u32> {
        let (hour, minute) = (from / 60, from % 60);
        let minute = if is_set(self.hours, hour) { next_set(self.minutes, minute) } else { None };
        match minute {
            Some(minute) => Some(hour * 60 + minute),
            None => Some(next_set(self.hours, hour + 1)? * 60 + self.minutes.trailing_zeros()),
        }
    }

    /// Whether one of the months has one of the days. In 400 years each date falls on every weekday.
    fn has_a_date(&self) -> bool {
        let has_one = |month: u32| {
            let first = self.days.trailing_zeros();
            is_set(self.months, month) && NaiveDate::from_ymd_opt(2024, month, first).is_some()
        };
        (1..=12).any(has_one)
    }
}

fn never(day: &str, month: &str, months: Values) -> Refusal {
    let last = if months.bits == 1 << 2 { 29 } else { 30 };
    Refusal::new(format!("month `{month}` has no day `{day}`, so it matches no time"))
        .hint(format!("the last day of that month is {last}"))
}

fn first_of_next_month(date: NaiveDate) -> Option<NaiveDate> {
    match date.month() {
        12 => NaiveDate::from_ymd_opt(date.year() + 1, 1, 1),
        month => NaiveDate::from_ymd_opt(date.year(), month + 1, 1),
    }
}

fn is_set(bits: u64, value: u32) -> bool {
    bits & (1 << value) != 0
}

/// The first set bit from `from`.
fn next_set(bits: u64, from: u32) -> Option<u32> {
    let rest = bits.checked_shr(from)?;
    (rest != 0).then(|| from + rest.trailing_zeros())
}
