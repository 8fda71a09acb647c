//! A second opinion on schedules: the rules of cron(8) and crontab(5), minute by minute, slow and plain.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike};
use holdfast_model::{Timestamp, Zone};

/// The five fields as lists of the values that they name.
pub struct Reference {
    text: [String; 5],
    values: [Vec<u32>; 5],
}

/// What a zone's clocks show in a span of time.
pub struct Clocks {
    start: Timestamp,
    /// The local time of each minute.
    local: Vec<NaiveDateTime>,
}

impl Clocks {
    pub fn new(zone: &Zone, start: Timestamp, minutes: i64) -> Self {
        let minute = |n| zone.local(start + TimeDelta::minutes(n)).naive_local();
        Self { start, local: (0..=minutes).map(minute).collect() }
    }

    pub fn end(&self) -> Timestamp {
        self.start + TimeDelta::minutes(i64::try_from(self.local.len()).unwrap() - 1)
    }
}

impl Reference {
    pub fn new(text: &str) -> Self {
        let text = match text {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            text => text,
        };
        let text: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let text: [String; 5] = text.try_into().unwrap();
        let ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
        let values = [0, 1, 2, 3, 4].map(|index| values(&text[index], ranges[index]));
        Self { text, values }
    }

    /// The times after the span's start, to its end.
    pub fn times(&self, clocks: &Clocks) -> Vec<Timestamp> {
        let mut times = Vec::new();
        // How far the clocks have come. Minutes that they jump over happen with the jump; when they are set back,
        // nothing happens until they have come as far again.
        let mut reached = clocks.local[0];
        for (minute, local) in clocks.local.iter().enumerate().skip(1) {
            let due = if self.starts_with_star(0) || self.starts_with_star(1) {
                self.matches(*local)
            } else {
                let mut due = false;
                while reached < *local {
                    reached += TimeDelta::minutes(1);
                    due |= self.matches(reached);
                }
                due
            };
            if due {
                times.push(clocks.start + TimeDelta::minutes(i64::try_from(minute).unwrap()));
            }
        }
        times
    }

    fn matches(&self, local: NaiveDateTime) -> bool {
        let has = |index: usize, value: u32| self.values[index].contains(&value);
        has(0, local.minute()) && has(1, local.hour()) && has(3, local.month()) && self.has_day(local)
    }

    fn has_day(&self, local: NaiveDateTime) -> bool {
        let weekday = local.weekday().num_days_from_sunday();
        let day = self.values[2].contains(&local.day());
        let weekday = self.values[4].contains(&weekday) || weekday == 0 && self.values[4].contains(&7);
        if self.starts_with_star(2) || self.starts_with_star(4) { day && weekday } else { day || weekday }
    }

    fn starts_with_star(&self, index: usize) -> bool {
        self.text[index].starts_with('*')
    }
}

fn values(field: &str, (min, max): (u32, u32)) -> Vec<u32> {
    let mut values = Vec::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let (from, to) = match range {
            "*" => (min, max),
            range => {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                (number(from), number(to))
            }
        };
        values.extend((from..=to).step_by(step.parse().unwrap()));
    }
    values
}

fn number(text: &str) -> u32 {
    const MONTHS: &str = "   JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    const WEEKDAYS: &str = "SUNMONTUEWEDTHUFRISAT";
    let place = || MONTHS.find(text).or_else(|| WEEKDAYS.find(text)).unwrap() / 3;
    text.parse().unwrap_or_else(|_| u32::try_from(place()).unwrap())
}

/// The instants at which a zone's offset changes, between two times.
pub fn changes(zone: &Zone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let offset = |at: i64| zone.local(DateTime::from_timestamp(at, 0).unwrap()).offset().local_minus_utc();
    let (mut changes, step) = (Vec::new(), 12 * 3_600);
    let mut before = from.timestamp();
    while before < to.timestamp() {
        let (mut low, mut high) = (before, before + step);
        if offset(low) != offset(high) {
            while high - low > 1 {
                let middle = i64::midpoint(low, high);
                if offset(middle) == offset(low) { low = middle } else { high = middle }
            }
            changes.push(DateTime::from_timestamp(high, 0).unwrap());
        }
        before += step;
    }
    changes
}
