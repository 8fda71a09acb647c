//! The key `native_schedule` of a policy: a schedule that Azure runs by itself.

use holdfast_model::{FrequencyUnit, NativeSchedule, Timestamp, parse_timestamp};

use super::reader::Section;
use super::report::{Found, Report};

/// What is kept where nothing is said, as in Azure's portal.
const RETENTION_DAYS: u32 = 30;

/// Reads the schedule of Azure's own that the policy's apps should have.
pub fn native_schedule(report: &mut Report<'_>, section: &mut Section<'_>) -> Option<NativeSchedule> {
    let expected = "a table such as { every = \"7 days\", retention_days = 30 }";
    let mut table = section.section(report, "native_schedule", expected)?;
    let every = every(report, &mut table);
    let is_default = !table.has("retention_days");
    let retention_days = table.count(report, "retention_days", 0..=36_500);
    let retention_days = if is_default { Some(RETENTION_DAYS) } else { retention_days };
    let keep_at_least_one = table.flag(report, "keep_at_least_one").unwrap_or(true);
    let start = start(report, &mut table);
    let enabled = table.flag(report, "enabled").unwrap_or(true);
    table.finish(report);
    let (every, unit) = every?;
    Some(NativeSchedule { enabled, every, unit, retention_days: retention_days?, keep_at_least_one, start })
}

fn start(report: &mut Report<'_>, table: &mut Section<'_>) -> Option<Timestamp> {
    let expected = "a time such as \"2026-12-01T02:00:00Z\"";
    let Found { value, place } = table.text(report, "start", expected)?;
    let start = parse_timestamp(value).ok();
    if start.is_none() {
        report.error(&place, format_args!("`{}`: expected {expected}, found \"{value}\"", place.key));
    }
    start
}

fn every(report: &mut Report<'_>, table: &mut Section<'_>) -> Option<(u32, FrequencyUnit)> {
    let expected = "a number of days, or of hours from 1 to 23, such as \"7 days\" or \"12 hours\"";
    let Found { value, place } = table.required(report, "every", expected)?;
    let Some((every, unit)) = frequency(value) else {
        report.error(&place, format_args!("`{}`: expected {expected}, found \"{value}\"", place.key));
        return None;
    };
    // 12 and 50 a day are the limits of the tiers, and nobody here knows an app's.
    if unit == FrequencyUnit::Hour && every < 2 {
        let message = format_args!(
            "`{}`: {} backups a day; Azure takes 12 a day of an app in the Basic and Standard tiers, and 50 in \
             Premium and Isolated, and those of Holdfast count too",
            place.key,
            24 / every
        );
        report.warning(&place, message, Some("what is over the limit is not taken".into()));
    }
    Some((every, unit))
}

/// What `7 days` or `12 hours` means. Azure takes hours only below a day.
fn frequency(text: &str) -> Option<(u32, FrequencyUnit)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "day" | "days" | "d" => FrequencyUnit::Day,
        "hour" | "hours" | "h" => FrequencyUnit::Hour,
        _ => return None,
    };
    let most = if unit == FrequencyUnit::Hour { 23 } else { 1_000 };
    number.parse().ok().filter(|every| (1..=most).contains(every)).map(|every| (every, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frequency_is_a_number_of_days_or_of_hours_below_a_day() {
        for (text, every) in [
            ("7 days", Some((7, FrequencyUnit::Day))),
            ("1day", Some((1, FrequencyUnit::Day))),
            ("12 hours", Some((12, FrequencyUnit::Hour))),
            ("23h", Some((23, FrequencyUnit::Hour))),
            ("24 hours", None),
            ("0 days", None),
            ("7", None),
            ("days", None),
            ("-1 days", None),
            ("2 weeks", None),
        ] {
            assert_eq!(frequency(text), every, "{text}");
        }
    }
}
