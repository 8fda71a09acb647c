//! The sections `[policy.NAME]`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_model::schedule::{Crontab, InvalidCrontab, Schedule};
use holdfast_model::{
    Overlap, Policy, PolicyName, PolicySnapshot, PollPace, Retries, Retry, StorageName, Tags, Timestamp, Zone,
};
use toml::de::DeValue;

use crate::consistency;
use crate::diagnostics::{Diagnostics, Located};
use crate::drill::drill;
use crate::effective::{EffectiveValue, effective};
use crate::inheritance::Inheritance;
use crate::native_schedule::native_schedule;
use crate::nearest::did_you_mean;
use crate::retention::retention;
use crate::section::Section;
use crate::storage::Storages;
use crate::tags::{merged_tags, plain};
use crate::wrong_kind::refused;
use crate::zone_data::ZoneData;
use crate::zone_hint::{ZoneHint, reversed_offset, zone_hint};

/// Policies with the locations of their names. An invalid policy has no value.
pub type Policies = BTreeMap<PolicyName, Located<Option<Policy>>>;

/// The policies of a file, their values with the lines they come from, and those that others extend.
#[derive(Debug, Default)]
pub struct PoliciesRead {
    /// The policies.
    pub policies: Policies,
    /// The values of each valid policy.
    pub effective: BTreeMap<PolicyName, Vec<EffectiveValue>>,
    /// The tags that each valid policy gives to its apps.
    pub tags: BTreeMap<PolicyName, Tags>,
    /// Policies from which others inherit.
    pub extended: BTreeSet<PolicyName>,
}

/// How late a missed tick is still run, by default.
pub const CATCH_UP: Duration = Duration::from_hours(6);

const MINUTE: Duration = Duration::from_mins(1);

/// Reads the policies.
pub fn policies(
    diagnostics: &mut Diagnostics<'_>,
    file: &mut Section<'_>,
    storages: &Storages,
    zones: &ZoneData,
    now: Timestamp,
) -> PoliciesRead {
    let mut read = PoliciesRead::default();
    let Some(section) = file.section(diagnostics, "policy", "tables, as in [policy.NAME]") else {
        file.know("defaults");
        return read;
    };
    let inheritance = Inheritance::of(diagnostics, file, &section);
    for (name, (place, value)) in section.entries() {
        let name = PolicyName::new(name);
        let found = match value {
            DeValue::Table(table) => {
                let own = Section::new(place.clone(), table);
                let section = inheritance.complete(diagnostics, &name, own);
                policy(diagnostics, section, &name, storages, zones, now)
            }
            other => refused(diagnostics, &place, "a table with `schedule` and `storage`", other),
        };
        let (value, values) = found.map_or((None, Vec::new()), |(policy, tags, values)| {
            read.tags.insert(name.clone(), tags);
            (Some(policy), values)
        });
        if inheritance.is_extended(&name) {
            read.extended.insert(name.clone());
        }
        read.effective.insert(name.clone(), values);
        read.policies.insert(name, Located { value, place });
    }
    read
}

fn policy(
    diagnostics: &mut Diagnostics<'_>,
    mut section: Section<'_>,
    name: &PolicyName,
    storages: &Storages,
    zones: &ZoneData,
    now: Timestamp,
) -> Option<(Policy, Tags, Vec<EffectiveValue>)> {
    let crontab = crontab(diagnostics, &mut section);
    let timezone = section.text(diagnostics, "timezone", "an IANA zone such as \"Europe/Paris\"");
    let timezone = timezone.map_or(Some(Zone::UTC), |found| zone(diagnostics, &found, zones));
    let spread = section.duration(diagnostics, "spread", Duration::ZERO);
    let catch_up =
        section.duration(diagnostics, "catch_up", Duration::ZERO).map_or(CATCH_UP, |found| found.value);
    let objective = section
        .unless_none("recovery_point_objective", |section, key| section.duration(diagnostics, key, MINUTE));
    let overlap = overlap(diagnostics, &mut section);
    let retention = section.unless_none("retention", |section, _| retention(diagnostics, section));
    let drill = section.unless_none("drill", |section, _| drill(diagnostics, section));
    let policy_snapshot = policy_snapshot(diagnostics, &mut section, storages);
    let native_schedule =
        section.unless_none("native_schedule", |section, _| native_schedule(diagnostics, section));
    let tags = merged_tags(diagnostics, &mut section);
    section.know("extends");
    section.finish(diagnostics);
    let (crontab, timezone) = (crontab?, timezone?);
    let schedule = Schedule {
        crontab: crontab.value,
        timezone,
        spread: spread.as_ref().map_or(Duration::ZERO, |f| f.value),
    };
    consistency::schedule(diagnostics, &schedule, &crontab.place, spread.as_ref(), objective.as_ref(), now);
    let policy = Policy {
        name: name.clone(),
        schedule,
        catch_up,
        overlap,
        recovery_point_objective: objective.map(|found| found.value),
        retention,
        drill,
        native_schedule,
        policy_snapshot: PolicySnapshot { catch_up, ..policy_snapshot? },
    };
    let values = effective(diagnostics, &section, &policy, &tags);
    let tags = plain::<Vec<_>>(&tags).into_iter().collect();
    Some((policy, tags, values))
}

fn crontab(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<Located<Crontab>> {
    let Located { value, place } =
        section.required(diagnostics, "schedule", "cron text such as \"0 2 * * *\"")?;
    let parsed: Result<Crontab, InvalidCrontab> = value.parse();
    match parsed {
        Ok(value) => Some(Located { value, place }),
        Err(error) => {
            let message = format!("`{}`: {error}", place.key);
            match error.hint() {
                Some(hint) => diagnostics.error_with_help(&place, message, hint),
                None => diagnostics.error(&place, message),
            }
            None
        }
    }
}

pub fn zone(diagnostics: &mut Diagnostics<'_>, found: &Located<&str>, zones: &ZoneData) -> Option<Zone> {
    let Located { value, place } = found;
    let zone = zones.zone(value);
    if zone.is_none() {
        let ZoneHint { near, help } = zone_hint(value);
        let message = format_args!("`{}`: unknown time zone \"{value}\"{near}", place.key);
        diagnostics.error_with_help(place, message, help);
    } else if let Some(offset) = reversed_offset(value) {
        let message = format_args!("`{}`: `{value}` is {offset}: the sign is reversed", place.key);
        let help = "a place, such as \"Europe/Paris\", also follows the changes of its clocks";
        diagnostics.warning(place, message, Some(help.to_owned()));
    }
    zone
}

fn overlap(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Overlap {
    let Some(Located { value, place }) = section.text(diagnostics, "overlap", "\"skip\" or \"queue\"") else {
        return Overlap::Skip;
    };
    match value {
        "skip" => Overlap::Skip,
        "queue" => Overlap::Queue,
        other => {
            diagnostics.error(
                &place,
                format_args!("`{}`: expected \"skip\" or \"queue\", found \"{other}\"", place.key),
            );
            Overlap::Skip
        }
    }
}

/// Reads the policy snapshot that runs keep.
fn policy_snapshot(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
    storages: &Storages,
) -> Option<PolicySnapshot> {
    let storage = section.required(diagnostics, "storage", "the name of a [storage.NAME]");
    let defaults = PolicySnapshot::new(StorageName::new(""), "");
    let deadline = section.duration(diagnostics, "deadline", MINUTE);
    let retries = retries(diagnostics, section);
    let poll = poll(diagnostics, section);
    let shrink_tolerance_percent = percent(diagnostics, section).unwrap_or(defaults.shrink_tolerance_percent);
    let partial_is_good = section.flag(diagnostics, "partial_is_good").unwrap_or(defaults.partial_is_good);
    let verify = section.flag(diagnostics, "verify").unwrap_or(defaults.verify);
    let Located { value, place } = storage?;
    let storage = StorageName::new(value);
    let Some(target) = storages.get(&storage) else {
        let near = did_you_mean(value, storages.keys().map(StorageName::as_str));
        let help = Some(defined("storages", storages.keys().map(StorageName::as_str)));
        diagnostics.missing(
            &place,
            format_args!("`{}`: no storage is called \"{value}\"{near}", place.key),
            help,
        );
        return None;
    };
    let target = target.value.as_ref()?;
    let length = deadline.as_ref().map_or(defaults.deadline, |found| found.value);
    consistency::lifetime(
        diagnostics,
        length,
        &deadline.map_or(place, |found| found.place),
        &storage,
        target,
    );
    let account = target.container.account();
    let storage = target.pattern.as_ref().map_or(storage.clone(), |pattern| storage.with_container(pattern));
    Some(PolicySnapshot {
        storage,
        account,
        catch_up: defaults.catch_up,
        deadline: length,
        retries,
        poll,
        shrink_tolerance_percent,
        partial_is_good,
        verify,
    })
}

fn retries(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Retries {
    let mut retries = Retries::default();
    let expected = "tables, as in retry.timed_out = { attempts = 3, first = \"5m\", max = \"1h\" }";
    let Some(mut table) = section.merged_section(diagnostics, "retry", expected) else { return retries };
    for (key, rule) in [
        ("timed_out", &mut retries.timed_out),
        ("skipped", &mut retries.skipped),
        ("partial", &mut retries.partial),
        ("transient", &mut retries.transient),
    ] {
        retry(diagnostics, &mut table, key, rule);
    }
    table.finish(diagnostics);
    retries
}

fn retry(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>, key: &'static str, rule: &mut Retry) {
    let expected = "a table such as { attempts = 3, first = \"5m\", max = \"1h\" }";
    let Some(mut table) = section.section(diagnostics, key, expected) else { return };
    rule.attempts = table.count(diagnostics, "attempts", 1..=100).unwrap_or(rule.attempts);
    (rule.first, rule.max) = pauses(diagnostics, &mut table, (rule.first, rule.max));
    table.finish(diagnostics);
}

fn poll(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> PollPace {
    let PollPace { first, max } = PollPace::default();
    let Some(mut table) =
        section.section(diagnostics, "poll", "a table such as { first = \"5s\", max = \"60s\" }")
    else {
        return PollPace { first, max };
    };
    let (first, max) = pauses(diagnostics, &mut table, (first, max));
    table.finish(diagnostics);
    PollPace { first, max }
}

/// Reads `first` and `max`. When only one is given, the other is adjusted to it.
fn pauses(
    diagnostics: &mut Diagnostics<'_>,
    table: &mut Section<'_>,
    default: (Duration, Duration),
) -> (Duration, Duration) {
    let least = Duration::from_millis(10);
    let (first, max) =
        (table.duration(diagnostics, "first", least), table.duration(diagnostics, "max", least));
    match (first, max) {
        (Some(first), Some(max)) => {
            if first.value > max.value {
                let message =
                    format_args!("`{}`: the first pause is longer than the longest, `max`", first.place.key);
                diagnostics.error(&first.place, message);
            }
            (first.value, max.value)
        }
        (Some(first), None) => (first.value, default.1.max(first.value)),
        (None, Some(max)) => (default.0.min(max.value), max.value),
        (None, None) => default,
    }
}

fn percent(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<u8> {
    let expected = "a percentage from \"0%\" to \"100%\"";
    let Located { value, place } = section.text(diagnostics, "shrink_tolerance", expected)?;
    let number =
        value.strip_suffix('%').and_then(|number| number.trim().parse().ok()).filter(|number| *number <= 100);
    if number.is_none() {
        diagnostics.error(&place, format_args!("`{}`: expected {expected}, found \"{value}\"", place.key));
    }
    number
}

/// Finds the policy that an app or a rule names, or reports the unknown name.
pub fn find(
    diagnostics: &mut Diagnostics<'_>,
    found: &Located<&str>,
    policies: &Policies,
) -> Option<PolicyName> {
    let Located { value, place } = found;
    let name = PolicyName::new(*value);
    if policies.contains_key(&name) {
        return Some(name);
    }
    let near = did_you_mean(value, policies.keys().map(PolicyName::as_str));
    let help = Some(defined("policies", policies.keys().map(PolicyName::as_str)));
    diagnostics.missing(place, format_args!("`{}`: no policy is called \"{value}\"{near}", place.key), help);
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
