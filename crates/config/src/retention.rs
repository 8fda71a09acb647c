//! The key `retention` of a policy.

use holdfast_model::Retention;
use holdfast_model::retention::Keep;

use crate::diagnostics::Diagnostics;
use crate::section::Section;

/// The counts of periods, with their maxima: a hundred years, and for hours more than one year.
pub const PERIODS: [(&str, u32); 5] =
    [("hourly", 10_000), ("daily", 36_500), ("weekly", 5_200), ("monthly", 1_200), ("yearly", 100)];

/// Reads the retention rule.
pub fn retention(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<Retention> {
    let expected = "a table such as { days = 30, monthly = 12, dry_run = false }";
    let mut table = section.section(diagnostics, "retention", expected)?;
    let place = table.place.clone();
    let counted = PERIODS.iter().any(|(key, _)| table.has(key))
        || table.require(diagnostics, "days", "a number of days, or a count such as `daily = 7`");
    let days = number(diagnostics, &mut table, "days", 36_500);
    let at_least = table.has("keep_at_least");
    let keep_at_least = number(diagnostics, &mut table, "keep_at_least", 10_000);
    let periods = PERIODS.map(|(key, max)| number(diagnostics, &mut table, key, max));
    let dry_run = table.flag(diagnostics, "dry_run").unwrap_or(true);
    table.finish(diagnostics);
    let (Some(days), Some(keep_at_least), true) = (days, keep_at_least, counted) else { return None };
    let [Some(hourly), Some(daily), Some(weekly), Some(monthly), Some(yearly)] = periods else { return None };
    let keep = Keep { hourly, daily, weekly, monthly, yearly };
    if days == 0 && keep_at_least == 0 && keep == Keep::default() {
        let message = format_args!("`{}`: keeps nothing, because all its numbers are 0", place.key);
        let help = "give a number of days, or a count such as `daily = 7`";
        diagnostics.error_with_help(&place, message, help);
        return None;
    }
    if dry_run {
        let message = format_args!("`{}`: is a dry run, which deletes nothing", place.key);
        diagnostics.warning(&place, message, Some("write `dry_run = false` to let it delete".into()));
    }
    let keep_at_least = if at_least { keep_at_least } else { 1 };
    Some(Retention { days, keep_at_least, keep, dry_run })
}

/// Reads a number: 0 when the key is absent, `None` when it is invalid.
fn number(
    diagnostics: &mut Diagnostics<'_>,
    table: &mut Section<'_>,
    key: &'static str,
    max: u32,
) -> Option<u32> {
    let given = table.has(key);
    let number = table.count(diagnostics, key, 0..=max);
    if given { number } else { Some(0) }
}
