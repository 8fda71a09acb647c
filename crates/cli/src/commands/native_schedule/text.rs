//! A schedule of Azure's own as text.

use holdfast_model::{FrequencyUnit, NativeSchedule, format_timestamp};

/// The schedule in words, such as `every 7 days, kept 30 days`.
pub fn text(schedule: &NativeSchedule) -> String {
    let NativeSchedule { enabled, every, unit, retention_days, keep_at_least_one, start } = schedule;
    let unit = if *unit == FrequencyUnit::Day { "days" } else { "hours" };
    let kept = match retention_days {
        0 => "kept for ever".to_owned(),
        days => format!("kept {days} days"),
    };
    let least = if *keep_at_least_one { ", the last one always" } else { "" };
    let start = start.map_or_else(String::new, |start| format!(", from {}", format_timestamp(start)));
    let enabled = if *enabled { "" } else { ", not enabled" };
    format!("every {every} {unit}, {kept}{least}{start}{enabled}")
}
