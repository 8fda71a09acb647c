//! Native schedules that are the same, as policies.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_model::{FrequencyUnit, NativeSchedule, format_duration};

use super::cadence::Cadence;
use super::draft::DraftPolicy;
use crate::wording::counted;

/// How much later than planned the next backup may be good before the objective is missed.
const SLACK: Duration = Duration::from_hours(6);

/// The policy of apps without a native schedule.
const DEFAULT: &str = "default";

/// What apps of one policy have in common. Their times of day differ: the policy spreads its apps as Azure does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    unit: FrequencyUnit,
    every: u32,
    cadence: Cadence,
    retention_days: u32,
    keep_at_least_one: bool,
    storage: String,
}

/// The policies of apps.
#[derive(Debug, Default)]
pub struct PolicyGroups {
    minutes: BTreeMap<Group, Vec<u32>>,
    defaults: BTreeMap<String, usize>,
}

/// What decides the policy of an app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey(Result<Group, String>);

impl PolicyGroups {
    /// Adds an app with a native schedule.
    pub fn add(&mut self, schedule: &NativeSchedule, storage: String) -> GroupKey {
        let cadence = Cadence::of(schedule);
        let NativeSchedule { unit, every, retention_days, keep_at_least_one, .. } = *schedule;
        let group = Group { unit, every, cadence, retention_days, keep_at_least_one, storage };
        self.minutes.entry(group.clone()).or_default().push(cadence.minute(schedule.start));
        GroupKey(Ok(group))
    }

    /// Adds an app without a native schedule.
    pub fn add_default(&mut self, storage: String) -> GroupKey {
        *self.defaults.entry(storage.clone()).or_default() += 1;
        GroupKey(Err(storage))
    }

    /// The policies with the keys of their apps. None has a name of `taken`.
    pub fn policies(self, taken: &BTreeSet<String>) -> BTreeMap<GroupKey, DraftPolicy> {
        let names = names(&self.minutes, taken);
        let mut policies = BTreeMap::new();
        for ((group, minutes), name) in self.minutes.into_iter().zip(names) {
            let policy = group.policy(name, &minutes);
            policies.insert(GroupKey(Ok(group)), policy);
        }
        for (storage, apps) in self.defaults {
            let name = free(DEFAULT, taken);
            policies.insert(GroupKey(Err(storage.clone())), default_policy(name, storage, apps));
        }
        policies
    }
}

impl Group {
    fn policy(&self, name: String, minutes: &[u32]) -> DraftPolicy {
        let (first, length) = self.cadence.window(&minutes.iter().copied().collect());
        let spread = Duration::from_mins(u64::from(length));
        let retention =
            (self.retention_days > 0).then_some((self.retention_days, self.keep_at_least_one.into()));
        DraftPolicy {
            name,
            origin: self.origin(minutes.len()),
            schedule: self.cadence.crontab(first),
            spread: (length > 0).then(|| format_duration(spread)),
            storage: self.storage.clone(),
            recovery_point_objective: format_duration(self.cadence.longest() + SLACK),
            retention,
        }
    }

    fn origin(&self, apps: usize) -> String {
        let kept = match self.retention_days {
            0 => "kept forever".to_owned(),
            days => format!("kept {}", counted(usize::try_from(days).unwrap_or(usize::MAX), "day")),
        };
        let last = if self.keep_at_least_one { ", the last one always" } else { "" };
        let native = NativeSchedule { unit: self.unit, ..NativeSchedule::days(self.every) };
        let more_often = if self.cadence.longest() == native.period() {
            ""
        } else {
            "; cron text has no such interval, so more often here"
        };
        format!(
            "native schedule of {}: {}, {kept}{last}{more_often}",
            counted(apps, "app"),
            self.frequency(" ")
        )
    }

    /// How often, as a text or as a name.
    fn frequency(&self, between: &str) -> String {
        let unit = self.unit.as_str().to_lowercase();
        match self.every {
            1 => ["every", &unit].join(between),
            every => ["every", &every.to_string(), &format!("{unit}s")].join(between),
        }
    }

    /// A name with more of its parts at each level; at the last with all.
    fn name(&self, level: usize) -> String {
        let usual = match (self.unit, self.every) {
            (FrequencyUnit::Hour, 1) => "hourly".to_owned(),
            (FrequencyUnit::Day, 1) => "daily".to_owned(),
            (FrequencyUnit::Day, 7) => "weekly".to_owned(),
            _ => self.frequency("-"),
        };
        let day = match self.cadence {
            Cadence::Weekly(day) => Some(format!("on-{}", WEEKDAYS[day as usize % WEEKDAYS.len()])),
            Cadence::Monthly(day) => Some(format!("on-{day}")),
            Cadence::Hours(_) | Cadence::Days(_) => None,
        };
        let kept = match self.retention_days {
            0 => "forever".to_owned(),
            days => format!("{days}d"),
        };
        let last = if self.keep_at_least_one { "keep" } else { "nokeep" }.to_owned();
        let more = [day, Some(kept), Some(self.storage.clone()), Some(last)];
        [Some(usual)].into_iter().chain(more.into_iter().take(level)).flatten().collect::<Vec<_>>().join("-")
    }
}

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// The shortest names of the groups that differ.
fn names(groups: &BTreeMap<Group, Vec<u32>>, taken: &BTreeSet<String>) -> Vec<String> {
    let at = |level| groups.keys().map(|group| free(&group.name(level), taken)).collect::<Vec<String>>();
    let is_distinct = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
    (0..4).map(at).find(is_distinct).unwrap_or_else(|| at(4))
}

/// The name, with something after it while it is taken.
fn free(name: &str, taken: &BTreeSet<String>) -> String {
    let mut name = name.to_owned();
    while taken.contains(&name) {
        name.push_str("-taken-over");
    }
    name
}

fn default_policy(name: String, storage: String, apps: usize) -> DraftPolicy {
    DraftPolicy {
        name,
        origin: format!("no native schedule: {}, once a day", counted(apps, "app")),
        schedule: "0 2 * * *".to_owned(),
        spread: Some("4h".to_owned()),
        storage,
        recovery_point_objective: format_duration(Cadence::Days(1).longest() + SLACK),
        retention: Some((30, 1)),
    }
}
