//! The sections `[policy.NAME]`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono_tz::{TZ_VARIANTS, Tz};
use holdfast_model::schedule::{Crontab, Schedule};
use holdfast_model::{
    Overlap, Policy, PolicyName, PolicySnapshot, PollPace, Retries, Retry, StorageName, Timestamp,
};
use toml::de::DeValue;

use super::check;
use super::drill::drill;
use super::native_schedule::native_schedule;
use super::reader::{Section, refused};
use super::report::{Found, Report};
use super::retention::retention;
use super::storage::Storages;
use super::suggest::did_you_mean;

/// Policies with the places of their names. One that will not do is there without its value.
pub type Policies = BTreeMap<PolicyName, Found<Option<Policy>>>;

const CATCH_UP: Duration = Duration::from_hours(6);

const MINUTE: Duration = Duration::from_mins(1);

/// Reads the policies.
pub fn policies(
    report: &mut Report<'_>,
    file: &mut Section<'_>,
    storages: &Storages,
    now: Timestamp,
) -> Policies {
    let Some(section) = file.section(report, "policy", "tables, as in [policy.NAME]") else {
        return Policies::new();
    };
    let mut policies = Policies::new();
    for (name, (place, value)) in section.entries() {
        let name = PolicyName::new(name);
        let policy = match value {
            DeValue::Table(table) => policy(report, Section::new(place.clone(), table), &name, storages, now),
            other => refused(report, &place, "a table with `schedule` and `storage`", other),
        };
        policies.insert(name, Found { value: policy, place });
    }
    policies
}

fn policy(
    report: &mut Report<'_>,
    mut section: Section<'_>,
    name: &PolicyName,
    storages: &Storages,
    now: Timestamp,
) -> Option<Policy> {
    let crontab = crontab(report, &mut section);
    let timezone = section.text(report, "timezone", "an IANA zone such as \"Europe/Paris\"");
    let timezone = timezone.map_or(Some(Tz::UTC), |found| zone(report, &found));
    let spread = section.duration(report, "spread", Duration::ZERO);
    let catch_up = section.duration(report, "catch_up", Duration::ZERO).map_or(CATCH_UP, |found| found.value);
    let objective = section.duration(report, "recovery_point_objective", MINUTE);
    let (overlap, retention) = (overlap(report, &mut section), retention(report, &mut section));
    let drill = drill(report, &mut section);
    let policy_snapshot = policy_snapshot(report, &mut section, storages);
    let native_schedule = native_schedule(report, &mut section);
    section.finish(report);
    let (crontab, timezone) = (crontab?, timezone?);
    let schedule = Schedule {
        crontab: crontab.value,
        timezone,
        spread: spread.as_ref().map_or(Duration::ZERO, |f| f.value),
    };
    check::schedule(report, &schedule, &crontab.place, spread.as_ref(), objective.as_ref(), now);
    Some(Policy {
        name: name.clone(),
        schedule,
        catch_up,
        overlap,
        recovery_point_objective: objective.map(|found| found.value),
        retention,
        drill,
        native_schedule,
        policy_snapshot: policy_snapshot?,
    })
}

fn crontab(report: &mut Report<'_>, section: &mut Section<'_>) -> Option<Found<Crontab>> {
    let expected = "cron text such as \"0 2 * * *\"";
    if !section.require(report, "schedule", expected) {
        return None;
    }
    section.parsed(report, "schedule", expected)
}

fn zone(report: &mut Report<'_>, found: &Found<&str>) -> Option<Tz> {
    let Found { value, place } = found;
    let zone = value.parse().ok();
    if zone.is_none() {
        // Somebody who writes `Paris` means the city of that name.
        let city =
            |zone: &&Tz| zone.name().rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(value));
        let near = match TZ_VARIANTS.iter().find(city) {
            Some(zone) => format!("; did you mean `{zone}`?"),
            None => did_you_mean(value, TZ_VARIANTS.iter().map(|zone| zone.name())),
        };
        let help = "zones have names such as \"UTC\" or \"Europe/Paris\"";
        report.error_with_help(
            place,
            format_args!("`{}`: unknown time zone \"{value}\"{near}", place.key),
            help,
        );
    }
    zone
}

fn overlap(report: &mut Report<'_>, section: &mut Section<'_>) -> Overlap {
    let Some(Found { value, place }) = section.text(report, "overlap", "\"skip\" or \"queue\"") else {
        return Overlap::Skip;
    };
    match value {
        "skip" => Overlap::Skip,
        "queue" => Overlap::Queue,
        other => {
            report.error(
                &place,
                format_args!("`{}`: expected \"skip\" or \"queue\", found \"{other}\"", place.key),
            );
            Overlap::Skip
        }
    }
}

/// What a run carries with it.
fn policy_snapshot(
    report: &mut Report<'_>,
    section: &mut Section<'_>,
    storages: &Storages,
) -> Option<PolicySnapshot> {
    let storage = section.required(report, "storage", "the name of a [storage.NAME]");
    let defaults = PolicySnapshot::new(StorageName::new(""), "");
    let deadline = section.duration(report, "deadline", MINUTE);
    let retries = retries(report, section);
    let poll = poll(report, section);
    let shrink_tolerance_percent = percent(report, section).unwrap_or(defaults.shrink_tolerance_percent);
    let partial_is_good = section.flag(report, "partial_is_good").unwrap_or(defaults.partial_is_good);
    let verify = section.flag(report, "verify").unwrap_or(defaults.verify);
    let Found { value, place } = storage?;
    let storage = StorageName::new(value);
    let Some(target) = storages.get(&storage) else {
        let near = did_you_mean(value, storages.keys().map(StorageName::as_str));
        let help = Some(defined("storages", storages.keys().map(StorageName::as_str)));
        report.missing(&place, format_args!("`{}`: no storage is called \"{value}\"{near}", place.key), help);
        return None;
    };
    let target = target.value.as_ref()?;
    let length = deadline.as_ref().map_or(defaults.deadline, |found| found.value);
    check::lifetime(report, length, &deadline.map_or(place, |found| found.place), &storage, target);
    let account = target.container.account();
    Some(PolicySnapshot {
        storage,
        account,
        deadline: length,
        retries,
        poll,
        shrink_tolerance_percent,
        partial_is_good,
        verify,
    })
}

fn retries(report: &mut Report<'_>, section: &mut Section<'_>) -> Retries {
    let mut retries = Retries::default();
    let expected = "tables, as in retry.timed_out = { attempts = 3, first = \"5m\", max = \"1h\" }";
    let Some(mut table) = section.section(report, "retry", expected) else { return retries };
    for (key, rule) in [
        ("timed_out", &mut retries.timed_out),
        ("skipped", &mut retries.skipped),
        ("partial", &mut retries.partial),
        ("transient", &mut retries.transient),
    ] {
        retry(report, &mut table, key, rule);
    }
    table.finish(report);
    retries
}

fn retry(report: &mut Report<'_>, section: &mut Section<'_>, key: &'static str, rule: &mut Retry) {
    let expected = "a table such as { attempts = 3, first = \"5m\", max = \"1h\" }";
    let Some(mut table) = section.section(report, key, expected) else { return };
    rule.attempts = table.count(report, "attempts", 1..=100).unwrap_or(rule.attempts);
    (rule.first, rule.max) = pauses(report, &mut table, (rule.first, rule.max));
    table.finish(report);
}

fn poll(report: &mut Report<'_>, section: &mut Section<'_>) -> PollPace {
    let PollPace { first, max } = PollPace::default();
    let Some(mut table) =
        section.section(report, "poll", "a table such as { first = \"5s\", max = \"60s\" }")
    else {
        return PollPace { first, max };
    };
    let (first, max) = pauses(report, &mut table, (first, max));
    table.finish(report);
    PollPace { first, max }
}

/// `first` and `max`. A single one that is given moves the other along.
fn pauses(
    report: &mut Report<'_>,
    table: &mut Section<'_>,
    default: (Duration, Duration),
) -> (Duration, Duration) {
    let least = Duration::from_millis(10);
    let (first, max) = (table.duration(report, "first", least), table.duration(report, "max", least));
    match (first, max) {
        (Some(first), Some(max)) => {
            if first.value > max.value {
                let message =
                    format_args!("`{}`: the first pause is longer than the longest, `max`", first.place.key);
                report.error(&first.place, message);
            }
            (first.value, max.value)
        }
        (Some(first), None) => (first.value, default.1.max(first.value)),
        (None, Some(max)) => (default.0.min(max.value), max.value),
        (None, None) => default,
    }
}

fn percent(report: &mut Report<'_>, section: &mut Section<'_>) -> Option<u8> {
    let expected = "a percentage from \"0%\" to \"100%\"";
    let Found { value, place } = section.text(report, "shrink_tolerance", expected)?;
    let number =
        value.strip_suffix('%').and_then(|number| number.trim().parse().ok()).filter(|number| *number <= 100);
    if number.is_none() {
        report.error(&place, format_args!("`{}`: expected {expected}, found \"{value}\"", place.key));
    }
    number
}

/// Finds the policy that an app or a rule names; reports the name nobody defined.
pub fn find(report: &mut Report<'_>, found: &Found<&str>, policies: &Policies) -> Option<PolicyName> {
    let Found { value, place } = found;
    let name = PolicyName::new(*value);
    if policies.contains_key(&name) {
        return Some(name);
    }
    let near = did_you_mean(value, policies.keys().map(PolicyName::as_str));
    let help = Some(defined("policies", policies.keys().map(PolicyName::as_str)));
    report.missing(place, format_args!("`{}`: no policy is called \"{value}\"{near}", place.key), help);
    None
}

fn defined<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        format!("no {what} are defined")
    } else {
        format!("{what} defined here: {}", names.join(", "))
    }
}
