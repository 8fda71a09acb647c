//! The key `native_schedule` of a policy: a schedule that Azure runs itself.

use holdfast_model::{FrequencyUnit, NativeSchedule, Timestamp, parse_timestamp};

use crate::diagnostics::{Diagnostics, Located};
use crate::section::Section;

/// Default days of retention, as in Azure's portal.
const RETENTION_DAYS: u32 = 30;

/// Reads the native schedule of the policy's apps.
pub fn native_schedule(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
) -> Option<NativeSchedule> {
    let expected = "a table such as { every = \"7 days\", retention_days = 30 }";
    let mut table = section.section(diagnostics, "native_schedule", expected)?;
    let every = every(diagnostics, &mut table);
    let is_default = !table.has("retention_days");
    let retention_days = table.count(diagnostics, "retention_days", 0..=36_500);
    let retention_days = if is_default { Some(RETENTION_DAYS) } else { retention_days };
    let keep_at_least_one = table.flag(diagnostics, "keep_at_least_one").unwrap_or(true);
    let start = start(diagnostics, &mut table);
    let enabled = table.flag(diagnostics, "enabled").unwrap_or(true);
    table.finish(diagnostics);
    let (every, unit) = every?;
    Some(NativeSchedule { enabled, every, unit, retention_days: retention_days?, keep_at_least_one, start })
}

fn start(diagnostics: &mut Diagnostics<'_>, table: &mut Section<'_>) -> Option<Timestamp> {
    let expected = "a time such as \"2026-12-01T02:00:00Z\"";
    let Located { value, place } = table.text(diagnostics, "start", expected)?;
    let start = parse_timestamp(value).ok();
    if start.is_none() {
        diagnostics.error(&place, format_args!("`{}`: expected {expected}, found \"{value}\"", place.key));
    }
    start
}

fn every(diagnostics: &mut Diagnostics<'_>, table: &mut Section<'_>) -> Option<(u32, FrequencyUnit)> {
    let expected = "a number of days, or of hours from 1 to 23, such as \"7 days\" or \"12 hours\"";
    let Located { value, place } = table.required(diagnostics, "every", expected)?;
    let Some((every, unit)) = frequency(value) else {
        diagnostics.error(&place, format_args!("`{}`: expected {expected}, found \"{value}\"", place.key));
        return None;
    };
    // The limit depends on the app's tier, which is unknown here.
    if unit == FrequencyUnit::Hour && every < 2 {
        let message = format_args!(
            "`{}`: {} backups a day; Azure takes 12 a day of an app in the Basic and Standard tiers, and 50 in \
             Premium and Isolated, and those of Holdfast count too",
            place.key,
            24 / every
        );
        diagnostics.warning(&place, message, Some("what is over the limit is not taken".into()));
    }
    Some((every, unit))
}

/// Parses `7 days` or `12 hours`. Azure accepts hours only below a day.
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
