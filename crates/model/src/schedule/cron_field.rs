//! One of the five fields of a cron schedule.

/// Why a text is not a cron schedule, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub why: String,
    pub hint: Option<String>,
}

impl Refusal {
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), hint: None }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Which field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Minute,
    Hour,
    DayOfMonth,
    Month,
    DayOfWeek,
}

/// The values that a field matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Values {
    /// Bit `n` is set when the field matches `n`. Sunday is bit 0.
    pub bits: u64,
    /// Whether the text begins with `*`, which makes an interval of a minute or an hour.
    pub starred: bool,
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Field {
    /// Parses the field's text: a list of numbers, names, ranges and steps.
    pub fn parse(self, text: &str) -> Result<Values, Refusal> {
        let mut bits = 0;
        for part in text.split(',') {
            bits |= self.part(text, part)?;
        }
        if self == Self::DayOfWeek && bits & (1 << 7) != 0 {
            bits = (bits & !(1 << 7)) | 1;
        }
        Ok(Values { bits, starred: text.starts_with('*') })
    }

    fn part(self, text: &str, part: &str) -> Result<u64, Refusal> {
        if part.is_empty() {
            let hint = "take out the comma that nothing follows or precedes, and write lists without spaces";
            return Err(self.refusal(text, "which has an empty place in its list").hint(hint));
        }
        let (body, step) = match part.split_once('/') {
            Some((body, step)) => (body, Some(step)),
            None => (part, None),
        };
        let (min, max) = self.limits();
        let (from, to) = if body == "*" {
            (min, max)
        } else if let Some((from, to)) = body.split_once('-').filter(|(from, _)| !from.is_empty()) {
            (self.value(from)?, self.value(to)?)
        } else if body.is_empty() || body.starts_with('*') {
            return Err(self.refusal(part, "which is no value").hint("a step is written `*/2` or `8-18/2`"));
        } else {
            let value = self.value(body)?;
            (value, value)
        };
        match step {
            Some(step) if body != "*" && !body.contains('-') => {
                let why = self.refusal(part, "and a step needs `*` or a range before it");
                Err(why.hint(format!("write `{from}-{}/{step}`", self.last())))
            }
            _ if from > to => Err(self.wrapped(part, (from, to), step)),
            step => {
                let step = step.map_or(Ok(1), |step| self.step(part, step))?;
                Ok((from..=to).step_by(step).fold(0, |bits, value| bits | (1 << value)))
            }
        }
    }

    /// Parses a number or a name.
    fn value(self, text: &str) -> Result<u32, Refusal> {
        let (min, max) = self.limits();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let value = text.parse().ok().filter(|value| (min..=max).contains(value));
            return value.ok_or_else(|| self.out_of_range(text));
        }
        let position = |names: &[&str]| names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let own = match self {
            Self::Month => position(&MONTHS).map(|index| index + 1),
            Self::DayOfWeek => position(&WEEKDAYS),
            _ => None,
        };
        own.and_then(|value| value.try_into().ok()).ok_or_else(|| self.unknown(text))
    }

    fn step(self, part: &str, step: &str) -> Result<usize, Refusal> {
        let (min, max) = self.limits();
        let number = step.parse().ok().filter(|_| step.bytes().all(|byte| byte.is_ascii_digit()));
        number
            .filter(|number| (1..=max - min).contains(number))
            .map(|number: u32| number as usize)
            .ok_or_else(|| {
                let why =
                    format!("the {} field has `{part}`, and a step takes 1 to {}", self.name(), max - min);
                Refusal::new(why).hint("a step counts within its field: for a longer pause, list the times")
            })
    }

    fn out_of_range(self, value: &str) -> Refusal {
        let refusal = self.refusal(value, "");
        match (self, value) {
            (Self::Minute, "60") => refusal.hint("the full hour is minute `0`"),
            (Self::Hour, "24") => refusal.hint("midnight is hour `0`"),
            _ => refusal,
        }
    }

    /// A range whose end comes before its start.
    fn wrapped(self, part: &str, (from, to): (u32, u32), step: Option<&str>) -> Refusal {
        let (min, last) = (self.limits().0, self.last());
        let range = |from, to| if from == to { format!("{from}") } else { format!("{from}-{to}") };
        let instead = match step.and_then(|step| step.parse().ok()).filter(|step| (1..=last).contains(step)) {
            Some(step) => {
                let length = last - min + 1;
                let values = (0..=to + length - from).step_by(step as usize);
                let values: Vec<String> =
                    values.map(|after| ((from - min + after) % length + min).to_string()).collect();
                values.join(",")
            }
            None if self == Self::DayOfWeek && from == 7 => range(0, to),
            None if self == Self::DayOfWeek && to == 0 => range(from, 7),
            None => format!("{},{}", range(from, last), range(min, to)),
        };
        self.refusal(part, "a range that ends before it begins").hint(format!("write `{instead}`"))
    }

    /// A text that is neither a number nor a name of this field.
    fn unknown(self, text: &str) -> Refusal {
        let folded = text.to_ascii_uppercase();
        let is_among = |names: &[&str]| names.contains(&folded.as_str());
        let full = |names: &[&'static str]| {
            let name = |name: &&&str| folded.len() > 3 && folded.starts_with(**name);
            names.iter().find(name).copied()
        };
        if is_among(&WEEKDAYS) {
            let why = self.refusal(text, "a day of the week");
            return why.hint(format!("days of the week stand in the fifth field, as in `0 2 * * {folded}`"));
        }
        if is_among(&MONTHS) {
            let why = self.refusal(text, "a month");
            return why.hint(format!("months stand in the fourth field, as in `0 2 1 {folded} *`"));
        }
        let own: &[&'static str] = match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            _ => &[],
        };
        if let Some(name) = full(own) {
            return self.refusal(text, "").hint(format!("names have three letters: write `{name}`"));
        }
        let refusal = self.refusal(text, "which cron does not know");
        match self.other_dialect(&folded) {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    }

    /// The hint for what only other schedulers know.
    fn other_dialect(self, folded: &str) -> Option<&'static str> {
        let is_day = matches!(self, Self::DayOfMonth | Self::DayOfWeek);
        if folded.contains('~') || folded.starts_with('H') {
            Some("to distribute apps over a window, write a plain time and set `spread`")
        } else if is_day && folded.contains('#') {
            Some("the nth weekday of a month is not in cron: run weekly, as in `0 2 * * 1`")
        } else if is_day && folded.contains('L') {
            Some("the last day is not in cron: run on the first day of the month, as in `0 2 1 * *`")
        } else if is_day && folded.contains('W') {
            Some("the nearest weekday is not in cron: run on all weekdays, as in `0 2 * * 1-5`")
        } else {
            None
        }
    }

    /// Names the field, the value and what the field takes.
    fn refusal(self, value: &str, remark: &str) -> Refusal {
        let remark = if remark.is_empty() { String::new() } else { format!(", {remark}") };
        Refusal::new(format!("the {} field has `{value}`{remark}; it takes {}", self.name(), self.takes()))
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
        }
    }

    fn takes(self) -> &'static str {
        match self {
            Self::Minute => "0 to 59",
            Self::Hour => "0 to 23",
            Self::DayOfMonth => "1 to 31",
            Self::Month => "1 to 12 or JAN to DEC",
            Self::DayOfWeek => "0 to 7 or SUN to SAT, where 0 and 7 are Sunday",
        }
    }

    fn limits(self) -> (u32, u32) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 7),
        }
    }

    /// The last value that is not another one's second number.
    fn last(self) -> u32 {
        if self == Self::DayOfWeek { 6 } else { self.limits().1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(field: Field, text: &str) -> Vec<u32> {
        let bits = field.parse(text).unwrap().bits;
        (0..64).filter(|value| bits & (1 << value) != 0).collect()
    }

    fn refusal(field: Field, text: &str) -> (String, String) {
        let Refusal { why, hint } = field.parse(text).unwrap_err();
        (why, hint.unwrap_or_default())
    }

    #[test]
    fn lists_ranges_steps_and_names_are_read() {
        assert_eq!(values(Field::Minute, "5"), [5]);
        assert_eq!(values(Field::Minute, "*/20"), [0, 20, 40]);
        assert_eq!(values(Field::Hour, "8-18/5,3,03"), [3, 8, 13, 18]);
        assert_eq!(values(Field::Month, "jan-mar,DEC"), [1, 2, 3, 12]);
        assert_eq!(values(Field::DayOfWeek, "mon-fri/2"), [1, 3, 5]);
        assert_eq!(values(Field::DayOfWeek, "5-7"), [0, 5, 6]);
        assert_eq!(values(Field::DayOfWeek, "*/7"), [0]);
        assert_eq!(values(Field::DayOfWeek, "*"), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(values(Field::DayOfMonth, "*").len(), 31);
        assert!(Field::Hour.parse("*,3").unwrap().starred && !Field::Hour.parse("0-23").unwrap().starred);
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_field_and_what_that_takes() {
        for (field, text, why, hint) in [
            (
                Field::Minute,
                "60",
                "the minute field has `60`; it takes 0 to 59",
                "the full hour is minute `0`",
            ),
            (Field::Minute, "5,99999999999", "the minute field has `99999999999`; it takes 0 to 59", ""),
            (Field::Hour, "24", "the hour field has `24`; it takes 0 to 23", "midnight is hour `0`"),
            (Field::DayOfMonth, "0", "the day-of-month field has `0`; it takes 1 to 31", ""),
            (Field::Month, "13", "the month field has `13`; it takes 1 to 12 or JAN to DEC", ""),
            (
                Field::DayOfWeek,
                "8",
                "the day-of-week field has `8`; it takes 0 to 7 or SUN to SAT, where 0 and 7 are Sunday",
                "",
            ),
        ] {
            assert_eq!(refusal(field, text), (why.to_owned(), hint.to_owned()));
        }
    }

    #[test]
    fn a_range_over_the_end_of_its_field_is_answered_with_two_ranges() {
        for (field, text, instead) in [
            (Field::Hour, "22-2", "22-23,0-2"),
            (Field::Hour, "22-3/2", "22,0,2"),
            (Field::Hour, "23-0", "23,0"),
            (Field::DayOfMonth, "28-3", "28-31,1-3"),
            (Field::DayOfMonth, "30-3/2", "30,1,3"),
            (Field::Month, "nov-feb", "11-12,1-2"),
            (Field::DayOfWeek, "fri-sun", "5-7"),
            (Field::DayOfWeek, "6-1", "6,0-1"),
            (Field::DayOfWeek, "7-2", "0-2"),
        ] {
            let (why, hint) = refusal(field, text);
            assert!(why.contains(&format!("`{text}`, a range that ends before it begins")), "{why}");
            assert_eq!(hint, format!("write `{instead}`"));
            assert!(field.parse(instead).is_ok(), "{instead}");
        }
    }

    #[test]
    fn names_count_in_their_own_field_alone() {
        for (field, text, remark, hint) in [
            (Field::DayOfMonth, "MON", "a day of the week", "as in `0 2 * * MON`"),
            (Field::Hour, "tue", "a day of the week", "as in `0 2 * * TUE`"),
            (Field::Month, "mon", "a day of the week", "as in `0 2 * * MON`"),
            (Field::DayOfWeek, "JAN", "a month", "as in `0 2 1 JAN *`"),
            (Field::DayOfMonth, "1-jan", "a month", "as in `0 2 1 JAN *`"),
            (Field::DayOfWeek, "Monday", "it takes 0 to 7", "write `MON`"),
            (Field::Month, "September", "it takes 1 to 12", "write `SEP`"),
        ] {
            let (why, found) = refusal(field, text);
            assert!(why.contains(remark) && found.ends_with(hint), "{why}: {found}");
        }
    }

    #[test]
    fn slips_and_other_dialects_are_refused_with_what_to_write() {
        for (field, text, told) in [
            (Field::DayOfWeek, "MON,", "an empty place in its list"),
            (Field::Minute, ",5", "an empty place in its list"),
            (Field::Minute, "5/15", "write `5-59/15`"),
            (Field::DayOfWeek, "1/2", "write `1-6/2`"),
            (Field::Minute, "/15", "`*/2` or `8-18/2`"),
            (Field::Minute, "*5", "`*/2` or `8-18/2`"),
            (Field::Minute, "*/0", "a step takes 1 to 59"),
            (Field::Minute, "*/90", "a step takes 1 to 59"),
            (Field::Minute, "*/", "a step takes 1 to 59"),
            (Field::Hour, "*/24", "a step takes 1 to 23"),
            (Field::Hour, "8-", "the hour field has ``"),
            (Field::Hour, "-8", "the hour field has `-8`"),
            (Field::Hour, "8-10-12", "the hour field has `10-12`"),
            (Field::Minute, "H", "set `spread`"),
            (Field::Minute, "0~59", "set `spread`"),
            (Field::DayOfMonth, "L", "the last day is not in cron"),
            (Field::DayOfMonth, "15W", "the nearest weekday is not in cron"),
            (Field::DayOfWeek, "1#2", "the nth weekday of a month is not in cron"),
            (Field::DayOfWeek, "FRIL", "`FRI`"),
            (Field::Hour, "٣", "which cron does not know"),
        ] {
            let (why, hint) = refusal(field, text);
            assert!(format!("{why}: {hint}").contains(told), "{text}: {why}: {hint}");
        }
    }
}
