//! The sections `[limits]` and `[engine]`.

use std::time::Duration;

use holdfast_model::{Budget, Limits, format_duration};

use crate::diagnostics::Diagnostics;
use crate::fleet::EngineConfig;
use crate::section::Section;

/// Reads the limits of admission control.
pub fn limits(diagnostics: &mut Diagnostics<'_>, file: &mut Section<'_>) -> Limits {
    let mut limits = Limits::default();
    let Some(mut section) = file.section(diagnostics, "limits", "a table") else { return limits };
    budget(diagnostics, &mut section, "reads", &mut limits.reads);
    budget(diagnostics, &mut section, "writes", &mut limits.writes);
    budget(diagnostics, &mut section, "deletes", &mut limits.deletes);
    let mut count =
        |key, most, limit: &mut u32| *limit = section.count(diagnostics, key, 1..=most).unwrap_or(*limit);
    count("per_plan", 10_000, &mut limits.per_plan);
    count("per_account", 10_000, &mut limits.per_account);
    count("outstanding", 100_000, &mut limits.outstanding);
    section.finish(diagnostics);
    limits
}

fn budget(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
    key: &'static str,
    budget: &mut Budget,
) {
    let expected = "a table such as { capacity = 250, per_second = 25 }";
    let Some(mut table) = section.section(diagnostics, key, expected) else { return };
    budget.capacity = table.rate(diagnostics, "capacity").unwrap_or(budget.capacity);
    budget.per_second = table.rate(diagnostics, "per_second").unwrap_or(budget.per_second);
    if budget.capacity < 1.0 {
        let message = format_args!("`{}`: a capacity below 1 admits no call", table.place.key);
        diagnostics.error(&table.place, message);
    }
    table.finish(diagnostics);
}

/// Reads the settings of the engine.
pub fn engine(diagnostics: &mut Diagnostics<'_>, file: &mut Section<'_>) -> EngineConfig {
    let mut engine = EngineConfig::default();
    let Some(mut section) = file.section(diagnostics, "engine", "a table") else { return engine };
    let mut duration = |key, least, value: &mut Duration| {
        let found = section.duration(diagnostics, key, least);
        *value = found.as_ref().map_or(*value, |found| found.value);
        found.map(|found| found.place)
    };
    duration("settle", Duration::from_millis(10), &mut engine.settle);
    duration("call_timeout", Duration::from_millis(100), &mut engine.call_timeout);
    let lease = duration("lease", Duration::from_millis(200), &mut engine.lease);
    engine.concurrency = section.count(diagnostics, "concurrency", 1..=10_000).unwrap_or(engine.concurrency);
    let place = lease.unwrap_or_else(|| section.place.clone());
    section.finish(diagnostics);
    // A step waits for a token and its call, and after a 401 for both again.
    let longest = (engine.call_timeout + engine.call_timeout.min(Duration::from_secs(30))) * 2;
    if engine.lease < longest {
        let message = format_args!(
            "`engine.lease`: {} is shorter than a step may take, {}: the step would be dispatched again while it runs",
            format_duration(engine.lease),
            format_duration(longest)
        );
        diagnostics.error_with_help(&place, message, "raise `lease`, or lower `call_timeout`");
    }
    engine
}
