//! The sections `[limits]` and `[engine]`.

use std::time::Duration;

use holdfast_model::{Budget, Limits};
use humantime::format_duration;

use super::fleet::EngineConfig;
use super::reader::Section;
use super::report::Report;

/// Reads what admission control allows.
pub fn limits(report: &mut Report<'_>, file: &mut Section<'_>) -> Limits {
    let mut limits = Limits::default();
    let Some(mut section) = file.section(report, "limits", "a table") else { return limits };
    budget(report, &mut section, "reads", &mut limits.reads);
    budget(report, &mut section, "writes", &mut limits.writes);
    budget(report, &mut section, "deletes", &mut limits.deletes);
    let mut count =
        |key, most, limit: &mut u32| *limit = section.count(report, key, 1..=most).unwrap_or(*limit);
    count("per_plan", 10_000, &mut limits.per_plan);
    count("per_account", 10_000, &mut limits.per_account);
    count("outstanding", 100_000, &mut limits.outstanding);
    section.finish(report);
    limits
}

fn budget(report: &mut Report<'_>, section: &mut Section<'_>, key: &'static str, budget: &mut Budget) {
    let expected = "a table such as { capacity = 250, per_second = 25 }";
    let Some(mut table) = section.section(report, key, expected) else { return };
    budget.capacity = table.rate(report, "capacity").unwrap_or(budget.capacity);
    budget.per_second = table.rate(report, "per_second").unwrap_or(budget.per_second);
    if budget.capacity < 1.0 {
        let message = format_args!("`{}`: a capacity below 1 never lets a call through", table.place.key);
        report.error(&table.place, message);
    }
    table.finish(report);
}

/// Reads how this process works.
pub fn engine(report: &mut Report<'_>, file: &mut Section<'_>) -> EngineConfig {
    let mut engine = EngineConfig::default();
    let Some(mut section) = file.section(report, "engine", "a table") else { return engine };
    let mut duration = |key, least, value: &mut Duration| {
        let found = section.duration(report, key, least);
        *value = found.as_ref().map_or(*value, |found| found.value);
        found.map(|found| found.place)
    };
    duration("settle", Duration::from_millis(10), &mut engine.settle);
    duration("call_timeout", Duration::from_millis(100), &mut engine.call_timeout);
    let lease = duration("lease", Duration::from_millis(200), &mut engine.lease);
    engine.concurrency = section.count(report, "concurrency", 1..=10_000).unwrap_or(engine.concurrency);
    let place = lease.unwrap_or_else(|| section.place.clone());
    section.finish(report);
    // A step may wait for a token, for its call, and for both once more after a 401.
    let longest = (engine.call_timeout + engine.call_timeout.min(Duration::from_secs(30))) * 2;
    if engine.lease < longest {
        let message = format_args!(
            "`engine.lease`: {} is less than a step may take, {}: it would be handed out again while it works",
            format_duration(engine.lease),
            format_duration(longest)
        );
        report.error_with_help(&place, message, "raise `lease`, or lower `call_timeout`");
    }
    engine
}
