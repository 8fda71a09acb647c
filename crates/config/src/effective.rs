//! The values of a policy as they apply, each with the file and line that it comes from.

use std::borrow::Cow;
use std::time::Duration;

use holdfast_model::{
    DrillRule, NativeSchedule, Overlap, Policy, PollPace, Retention, Retry, fold_case, format_duration,
    format_timestamp,
};
use serde::{Deserialize, Serialize};

use crate::diagnostics::{Diagnostics, Located, SourceLocation};
use crate::section::Section;
use crate::tags::FoundTag;

/// A value of a policy as it applies, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct EffectiveValue {
    /// The key, such as `retry.timed_out`.
    pub key: Cow<'static, str>,
    /// The value as the fleet file would say it; `none` where there is none.
    pub value: String,
    /// The section that says it, such as `policy.gold` or `defaults`; `None` for what is built in.
    pub section: Option<String>,
    /// The included file that says it; `None` for the fleet file itself and for what is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of the file; `None` for what is built in.
    pub line: Option<usize>,
}

impl EffectiveValue {
    /// Where it is said, such as `12` or, in an included file, `apps/eu.toml:12`; `None` for what is built in.
    pub fn place(&self) -> Option<String> {
        let line = self.line?;
        Some(self.file.as_ref().map_or_else(|| line.to_string(), |file| format!("{file}:{line}")))
    }
}

/// The values of a policy that was read from a section, and its tags.
pub fn effective(
    diagnostics: &Diagnostics<'_>,
    section: &Section<'_>,
    policy: &Policy,
    tags: &[FoundTag],
) -> Vec<EffectiveValue> {
    let value = |(key, value): (&'static str, String)| {
        let said = section.place_of(key).map(|place| said(diagnostics, key, &place));
        let (section, file, line) =
            said.map_or((None, None, None), |(section, file, line)| (Some(section), file, Some(line)));
        EffectiveValue { key: key.into(), value, section, file, line }
    };
    let tags = tags.iter().map(|tag| tag_value(diagnostics, tag));
    texts(policy).into_iter().map(value).chain(tags).collect()
}

/// A tag as a value, such as `tags.team`.
pub fn tag_value(
    diagnostics: &Diagnostics<'_>,
    Located { value: (name, value), place }: &FoundTag,
) -> EffectiveValue {
    let (section, file, line) = said(diagnostics, &format!("tags.{name}"), place);
    EffectiveValue {
        key: tag_key(name).into(),
        value: text(value),
        section: Some(section),
        file,
        line: Some(line),
    }
}

/// The key of a tag, whose name has no case.
fn tag_key(name: &str) -> String {
    format!("tags.{}", fold_case(name))
}

impl EffectiveValue {
    /// A tag that an app has in Azure.
    pub fn of_azure(name: &str, value: &str) -> Self {
        Self {
            key: tag_key(name).into(),
            value: text(value),
            section: Some("Azure".to_owned()),
            file: None,
            line: None,
        }
    }

    /// Whether it is a tag.
    pub fn is_tag(&self) -> bool {
        self.key.starts_with("tags.")
    }
}

/// The section, the included file and the line of a location.
fn said(diagnostics: &Diagnostics<'_>, key: &str, place: &SourceLocation) -> (String, Option<String>, usize) {
    let section = place.key.strip_suffix(key).unwrap_or(&place.key).trim_end_matches('.');
    let (file, line) = diagnostics.line(place);
    (section.to_owned(), file, line)
}

fn texts(policy: &Policy) -> Vec<(&'static str, String)> {
    let snapshot = &policy.policy_snapshot;
    let retries = &snapshot.retries;
    vec![
        ("schedule", text(policy.schedule.crontab.to_string())),
        ("timezone", text(policy.schedule.timezone.name())),
        ("spread", duration(policy.schedule.spread)),
        ("catch_up", duration(policy.catch_up)),
        (
            "overlap",
            text(match policy.overlap {
                Overlap::Skip => "skip",
                Overlap::Queue => "queue",
            }),
        ),
        ("deadline", duration(snapshot.deadline)),
        ("storage", text(&snapshot.storage)),
        ("recovery_point_objective", optional(policy.recovery_point_objective, duration)),
        ("retention", optional(policy.retention, retention)),
        ("drill", optional(policy.drill.as_ref(), drill)),
        ("native_schedule", optional(policy.native_schedule.as_ref(), native_schedule)),
        ("retry.timed_out", retry(retries.timed_out)),
        ("retry.skipped", retry(retries.skipped)),
        ("retry.partial", retry(retries.partial)),
        ("retry.transient", retry(retries.transient)),
        ("poll", poll(snapshot.poll)),
        ("shrink_tolerance", text(format!("{}%", snapshot.shrink_tolerance_percent))),
        ("partial_is_good", snapshot.partial_is_good.to_string()),
        ("verify", snapshot.verify.to_string()),
    ]
}

fn text(value: impl std::fmt::Display) -> String {
    format!("\"{value}\"")
}

fn duration(value: Duration) -> String {
    text(format_duration(value))
}

fn optional<T>(value: Option<T>, shown: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "none".to_owned(), shown)
}

fn retry(Retry { attempts, first, max }: Retry) -> String {
    format!("{{ attempts = {attempts}, first = {}, max = {} }}", duration(first), duration(max))
}

fn poll(PollPace { first, max }: PollPace) -> String {
    format!("{{ first = {}, max = {} }}", duration(first), duration(max))
}

fn retention(Retention { days, keep_at_least, keep, dry_run }: Retention) -> String {
    let periods = [
        ("hourly", keep.hourly),
        ("daily", keep.daily),
        ("weekly", keep.weekly),
        ("monthly", keep.monthly),
        ("yearly", keep.yearly),
    ];
    let numbers = [("days", days), ("keep_at_least", keep_at_least)];
    let numbers = numbers.into_iter().chain(periods.into_iter().filter(|(_, count)| *count > 0));
    let numbers: Vec<String> = numbers.map(|(key, count)| format!("{key} = {count}")).collect();
    format!("{{ {}, dry_run = {dry_run} }}", numbers.join(", "))
}

fn drill(DrillRule { every, into, probe }: &DrillRule) -> String {
    let probe = probe.as_ref().map(|probe| format!(", probe = \"{probe}\"")).unwrap_or_default();
    format!("{{ every = {}, into = \"{into}\"{probe} }}", duration(*every))
}

fn native_schedule(rule: &NativeSchedule) -> String {
    let unit = rule.unit.as_str().to_lowercase();
    let start =
        rule.start.map(|start| format!(", start = \"{}\"", format_timestamp(start))).unwrap_or_default();
    format!(
        "{{ every = \"{} {unit}s\", retention_days = {}, keep_at_least_one = {}{start}, enabled = {} }}",
        rule.every, rule.retention_days, rule.keep_at_least_one, rule.enabled
    )
}
