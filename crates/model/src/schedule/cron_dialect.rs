//! Schedules in the notation of other programs: how to write them here.

use super::cron_field::{Field, Refusal};
use super::cron_fields::CronFields;

/// The five fields of a nickname such as `@daily`.
pub(super) fn nickname(text: &str) -> Result<[&'static str; 5], Refusal> {
    let folded = text.to_ascii_lowercase();
    match folded.as_str() {
        "@yearly" | "@annually" => Ok(["0", "0", "1", "1", "*"]),
        "@monthly" => Ok(["0", "0", "1", "*", "*"]),
        "@weekly" => Ok(["0", "0", "*", "*", "0"]),
        "@daily" | "@midnight" => Ok(["0", "0", "*", "*", "*"]),
        "@hourly" => Ok(["0", "*", "*", "*", "*"]),
        _ if folded.starts_with("@every") => Err(Refusal::new("a schedule has times, and no distances")
            .hint("write the times, such as `0 */2 * * *` for every even hour")),
        "@reboot" => Err(Refusal::new("a schedule has times, and no starts of a machine")
            .hint("write a time, such as `0 2 * * *`")),
        _ => Err(Refusal::new("it is not a nickname")
            .hint("the nicknames are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually")),
    }
}

/// Refuses a text that another program would read; `None` when it has the form of crontab(5).
pub(super) fn foreign(text: &str) -> Option<Refusal> {
    let (text, is_aws) = match text.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let fields: Vec<&str> = text.split_whitespace().collect();
    if let Some(zone) = fields.first().and_then(|first| zone_prefix(first)) {
        let rest = fields.get(1..).unwrap_or_default().join(" ");
        let why = Refusal::new("it names a time zone");
        return Some(why.hint(format!("set `timezone = \"{zone}\"` and `schedule = \"{rest}\"`")));
    }
    let has_question = fields.iter().any(|field| field.contains('?'));
    if fields.len() == 5 && !has_question && !is_aws {
        return None;
    }
    let counts_from_one = has_question || is_aws || fields.len() == 7;
    let why = match fields.len() {
        0 => "it is empty".to_owned(),
        5 => "`?` is not in cron".to_owned(),
        1 => "it has 1 field; cron has five: minute hour day-of-month month day-of-week".to_owned(),
        count => format!("it has {count} fields; cron has five: minute hour day-of-month month day-of-week"),
    };
    let refusal = Refusal::new(why);
    Some(match instead(&fields, is_aws, counts_from_one) {
        Some(instead) => refusal.hint(hint(&fields, &instead, counts_from_one)),
        None => refusal.hint("a daily schedule is `0 2 * * *`, or `@daily` for midnight"),
    })
}

fn zone_prefix(field: &str) -> Option<&str> {
    field.strip_prefix("CRON_TZ=").or_else(|| field.strip_prefix("TZ="))
}

/// What was most likely meant, in five fields; `None` when that is no schedule.
fn instead(fields: &[&str], is_aws: bool, counts_from_one: bool) -> Option<[String; 5]> {
    let (first, last) = (*fields.first()?, *fields.last()?);
    let five = match fields.len() {
        5 => fields,
        6 if is_aws || is_year(last) || is_word(last) => fields.get(..5)?,
        // Seconds that are not one number ask for a pace that five fields cannot have.
        6 if is_number(first) => fields.get(1..)?,
        7 if is_number(first) => fields.get(1..6)?,
        _ => return None,
    };
    let mut five: [String; 5] =
        five.iter().map(|field| field.replace('?', "*")).collect::<Vec<_>>().try_into().ok()?;
    if counts_from_one {
        five[4] = counted_from_zero(&five[4])?;
    }
    let texts = five.each_ref().map(String::as_str);
    CronFields::parse(texts).ok().map(|_| five)
}

fn hint(fields: &[&str], instead: &[String; 5], counts_from_one: bool) -> String {
    let mut hint = format!("write `{}`", instead.join(" "));
    if fields.len() > 5 && !fields.last().is_some_and(|last| is_year(last) || is_word(last)) {
        hint.push_str("; a schedule has no seconds");
    }
    if counts_from_one && instead[4].bytes().any(|byte| byte.is_ascii_digit()) {
        hint.push_str("; Sunday is 0 here, and 1 where `?` is written");
    }
    hint
}

/// Changes the days of the week from 1 to 7, as Quartz and AWS count them, to 0 to 6.
fn counted_from_zero(field: &str) -> Option<String> {
    let day = |text: &str| match text.parse::<u32>() {
        Ok(number) => number.checked_sub(1).map(|number| number.to_string()),
        Err(_) => Some(text.to_owned()),
    };
    let part = |part: &str| {
        let (days, step) = part.split_once('/').map_or((part, None), |(days, step)| (days, Some(step)));
        let days = days.split('-').map(day).collect::<Option<Vec<_>>>()?.join("-");
        Some(step.map_or(days.clone(), |step| format!("{days}/{step}")))
    };
    Some(field.split(',').map(part).collect::<Option<Vec<_>>>()?.join(","))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_year(text: &str) -> bool {
    text.len() >= 4 && text.split(['-', ',', '/']).all(|year| year.len() == 4 && is_number(year))
}

/// Whether a text can be no field, such as the user or the command of a crontab's line.
fn is_word(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    text.starts_with('/') || (is_plain && !is_number(text) && Field::DayOfWeek.parse(text).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let Refusal { why, hint } = foreign(text).unwrap();
        format!("{why}: {}", hint.unwrap())
    }

    #[test]
    fn other_notations_are_answered_with_the_five_fields_they_mean() {
        for (text, instead) in [
            ("0 0 2 * * *", "write `0 2 * * *`; a schedule has no seconds"),
            ("30 0 2 * * 1-5", "write `0 2 * * 1-5`; a schedule has no seconds"),
            ("0 2 ? * 2-6", "write `0 2 * * 1-5`; Sunday is 0 here, and 1 where `?` is written"),
            ("0 2 1 * ?", "write `0 2 1 * *`"),
            ("0 0 2 ? * MON-FRI", "write `0 2 * * MON-FRI`; a schedule has no seconds"),
            ("0 0 2 ? * 1 *", "write `0 2 * * 0`; a schedule has no seconds; Sunday is 0 here"),
            ("cron(0 2 ? * 2,4/2 *)", "a daily schedule is `0 2 * * *`"),
            ("cron(0 2 ? * 2,4 2027)", "write `0 2 * * 1,3`; Sunday is 0 here"),
            ("0 2 * * * 2027", "write `0 2 * * *`"),
            ("0 2 * * * backup", "write `0 2 * * *`"),
            ("0 2 * * * /usr/bin/backup", "write `0 2 * * *`"),
            ("*/10 * * * * *", "a daily schedule is `0 2 * * *`"),
            (
                "CRON_TZ=Europe/Paris 0 2 * * *",
                "set `timezone = \"Europe/Paris\"` and `schedule = \"0 2 * * *\"`",
            ),
            ("TZ=UTC 0 2 * * *", "set `timezone = \"UTC\"`"),
            ("0 2 * *", "it has 4 fields; cron has five"),
            ("rate(1 day)", "it has 2 fields"),
            ("*-*-* 02:00:00", "it has 2 fields"),
            ("x", "it has 1 field; cron"),
            ("", "it is empty"),
        ] {
            assert!(told(text).contains(instead), "{text}: {}", told(text));
        }
        assert_eq!(foreign("0 2 * * MON"), None);
    }

    #[test]
    fn nicknames_are_those_of_cron() {
        assert_eq!(nickname("@midnight"), nickname("@daily"));
        assert_eq!(nickname("@Annually").unwrap(), ["0", "0", "1", "1", "*"]);
        for (text, told) in
            [("@every 1h", "`0 */2 * * *`"), ("@reboot", "`0 2 * * *`"), ("@fortnightly", "@midnight")]
        {
            let Refusal { hint, .. } = nickname(text).unwrap_err();
            assert!(hint.unwrap().contains(told), "{text}");
        }
    }
}
