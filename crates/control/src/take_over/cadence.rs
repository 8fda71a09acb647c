//! How often Azure's own schedule takes a backup, as cron text can say it: never less often.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{Datelike as _, Timelike as _};
use holdfast_model::{FrequencyUnit, NativeSchedule, Timestamp};

const DAY_MINUTES: u32 = 24 * 60;

/// The time of day of a schedule without a start.
const DEFAULT_MINUTE: u32 = 2 * 60;

/// How often backups are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cadence {
    /// Every so many hours, a divisor of 24.
    Hours(u32),
    /// Every so many days, from 1 to 6.
    Days(u32),
    /// On this day of the week; 0 is Sunday.
    Weekly(u32),
    /// On this day of the month, 28 at most.
    Monthly(u32),
}

impl Cadence {
    /// The cadence of a schedule. What cron text cannot say becomes the next shorter one that it can.
    pub fn of(schedule: &NativeSchedule) -> Self {
        let start = schedule.start;
        match (schedule.unit, schedule.every.max(1)) {
            (FrequencyUnit::Hour, every) if every < 24 => {
                Self::Hours([12, 8, 6, 4, 3, 2].into_iter().find(|hours| *hours <= every).unwrap_or(1))
            }
            (unit, every) => match if unit == FrequencyUnit::Hour { every / 24 } else { every } {
                days @ 1..=6 => Self::Days(days),
                7..=30 => Self::Weekly(start.map_or(0, |start| start.weekday().num_days_from_sunday())),
                _ => Self::Monthly(start.map_or(1, |start| start.day().min(28))),
            },
        }
    }

    /// The longest time between two backups.
    pub fn longest(self) -> Duration {
        match self {
            Self::Hours(hours) => Duration::from_hours(u64::from(hours)),
            Self::Days(days) => Duration::from_hours(u64::from(days) * 24),
            Self::Weekly(_) => Duration::from_hours(7 * 24),
            Self::Monthly(_) => Duration::from_hours(31 * 24),
        }
    }

    /// The minute at which a schedule with this start is due, within the hours of its cadence or within its day.
    pub fn minute(self, start: Option<Timestamp>) -> u32 {
        start.map_or(DEFAULT_MINUTE, |start| start.hour() * 60 + start.minute()) % self.circle()
    }

    /// The shortest window that has all these minutes: its first one, and its length.
    pub fn window(self, minutes: &BTreeSet<u32>) -> (u32, u32) {
        let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else { return (0, 0) };
        let whole = (*first, last - first);
        if matches!(self, Self::Weekly(_) | Self::Monthly(_)) {
            // A window past midnight would be another day.
            return whole;
        }
        let pauses =
            minutes.iter().zip(minutes.iter().skip(1)).map(|(before, after)| (after - before, *after));
        let (longest, after) = pauses.max().unwrap_or((0, *first));
        if longest > self.circle() - whole.1 { (after, self.circle() - longest) } else { whole }
    }

    /// The cron text for the times at this minute.
    pub fn crontab(self, minute: u32) -> String {
        let (hour, minute) = (minute / 60, minute % 60);
        match self {
            Self::Hours(1) => format!("{minute} * * * *"),
            Self::Hours(every) => {
                let hours: Vec<String> =
                    (0..24 / every).map(|times| (hour + times * every).to_string()).collect();
                format!("{minute} {} * * *", hours.join(","))
            }
            Self::Days(1) => format!("{minute} {hour} * * *"),
            Self::Days(days) => format!("{minute} {hour} */{days} * *"),
            Self::Weekly(day) => format!("{minute} {hour} * * {day}"),
            Self::Monthly(day) => format!("{minute} {hour} {day} * *"),
        }
    }

    /// The minutes after which the times of day repeat.
    fn circle(self) -> u32 {
        if let Self::Hours(hours) = self { hours * 60 } else { DAY_MINUTES }
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::parse_timestamp;

    use super::*;

    fn schedule(every: u32, unit: FrequencyUnit) -> NativeSchedule {
        let start = parse_timestamp("2026-11-28T22:15:00Z").ok();
        NativeSchedule { unit, start, ..NativeSchedule::days(every) }
    }

    #[test]
    fn a_cadence_is_never_longer_than_the_schedule_that_it_comes_from() {
        for (every, unit, cadence, crontab) in [
            (1, FrequencyUnit::Hour, Cadence::Hours(1), "15 * * * *"),
            (5, FrequencyUnit::Hour, Cadence::Hours(4), "15 2,6,10,14,18,22 * * *"),
            (12, FrequencyUnit::Hour, Cadence::Hours(12), "15 10,22 * * *"),
            (23, FrequencyUnit::Hour, Cadence::Hours(12), "15 10,22 * * *"),
            (24, FrequencyUnit::Hour, Cadence::Days(1), "15 22 * * *"),
            (0, FrequencyUnit::Day, Cadence::Days(1), "15 22 * * *"),
            (2, FrequencyUnit::Day, Cadence::Days(2), "15 22 */2 * *"),
            (7, FrequencyUnit::Day, Cadence::Weekly(6), "15 22 * * 6"),
            (14, FrequencyUnit::Day, Cadence::Weekly(6), "15 22 * * 6"),
            (31, FrequencyUnit::Day, Cadence::Monthly(28), "15 22 28 * *"),
        ] {
            let native = schedule(every, unit);
            let found = Cadence::of(&native);
            assert_eq!((found, found.crontab(found.minute(native.start)).as_str()), (cadence, crontab));
            assert!(found.longest() <= native.period().max(Duration::from_hours(1)) || every == 0);
        }
    }

    #[test]
    fn a_window_is_the_shortest_that_has_all_times_also_across_midnight() {
        let window = |cadence: Cadence, minutes: &[u32]| cadence.window(&minutes.iter().copied().collect());
        assert_eq!(window(Cadence::Days(1), &[130]), (130, 0));
        assert_eq!(window(Cadence::Days(1), &[120, 180, 240]), (120, 120));
        assert_eq!(window(Cadence::Days(1), &[10, 1430, 1400]), (1400, 50));
        assert_eq!(window(Cadence::Hours(1), &[5, 58]), (58, 7));
        assert_eq!(window(Cadence::Weekly(0), &[10, 1430]), (10, 1420));
        assert_eq!(window(Cadence::Days(1), &[]), (0, 0));
    }
}
