//! The entries `[[app]]` and `[[discover]]`.

use std::collections::BTreeMap;

use holdfast_model::{App, AppId, Timestamp};
use toml::de::DeValue;

use super::azure::{is_served, subscription};
use super::databases::{DATABASES, databases};
use super::fleet::{Cloud, Discover};
use super::policy::{Policies, find};
use super::reader::{Section, wrong_kind};
use super::report::{Found, Report};

/// Reads the apps.
pub fn apps(
    report: &mut Report<'_>,
    file: &mut Section<'_>,
    policies: &Policies,
    clouds: &[Cloud],
    now: Timestamp,
) -> Vec<App> {
    let mut seen: BTreeMap<AppId, String> = BTreeMap::new();
    let mut apps = Vec::new();
    for section in file.sections(report, "app", "a list of tables, as in [[app]]") {
        let Some(Found { value, place }) = app(report, section, policies, now) else { continue };
        if let Some(first) = seen.get(&value.id) {
            let message =
                format_args!("`{}`: {} is listed already, as `{first}`", place.key, value.id.short_name());
            report.error_with_help(&place, message, "ARM ids have no case: two spellings are one app");
            continue;
        }
        is_served(report, &place, value.id.subscription(), clouds);
        seen.insert(value.id.clone(), place.key);
        apps.push(value);
    }
    apps
}

fn app(
    report: &mut Report<'_>,
    mut section: Section<'_>,
    policies: &Policies,
    now: Timestamp,
) -> Option<Found<App>> {
    let expected = "the ARM id of an app";
    let id = section.require(report, "id", expected).then(|| section.parsed::<AppId>(report, "id", expected));
    let policy = section.text(report, "policy", "the name of a [policy.NAME]");
    let policy = policy.and_then(|found| find(report, &found, policies));
    let paused = section.flag(report, "paused").unwrap_or(false);
    let databases = databases(report, &mut section, now);
    section.finish(report);
    let Found { value: id, place } = id.flatten()?;
    Some(Found { value: App { id, policy, plan: None, databases, paused }, place })
}

/// Reads the rules that find apps.
pub fn discover(
    report: &mut Report<'_>,
    file: &mut Section<'_>,
    policies: &Policies,
    clouds: &[Cloud],
) -> Vec<Discover> {
    let sections = file.sections(report, "discover", "a list of tables, as in [[discover]]");
    sections.into_iter().filter_map(|section| rule(report, section, policies, clouds)).collect()
}

fn rule(
    report: &mut Report<'_>,
    mut section: Section<'_>,
    policies: &Policies,
    clouds: &[Cloud],
) -> Option<Discover> {
    let found = section.required(report, "subscription", "a subscription's id");
    let subscription = found.as_ref().and_then(|found| subscription(report, found));
    if let Some((id, found)) = subscription.as_ref().zip(found.as_ref()) {
        is_served(report, &found.place, id, clouds);
    }
    let tags = tags(report, &mut section);
    let policy = section.required(report, "policy", "the name of a [policy.NAME]");
    let policy = policy.and_then(|found| find(report, &found, policies));
    let slots = section.flag(report, "slots").unwrap_or(false);
    let exclude = section.texts(report, "exclude", "a list of ARM ids or short names");
    let exclude = exclude.into_iter().map(|found| found.value.to_lowercase()).collect();
    if let Some(first) = section.sections(report, "databases", DATABASES).first() {
        let message =
            format_args!("`{}`: a rule cannot know the databases of the apps that it finds", first.place.key);
        report.error_with_help(&first.place, message, "list the app as an [[app]] with its databases");
    }
    section.finish(report);
    Some(Discover { subscription: subscription?, tags, policy: policy?, slots, exclude })
}

fn tags(report: &mut Report<'_>, section: &mut Section<'_>) -> BTreeMap<String, String> {
    let expected = "a table such as { backup = \"gold\" }";
    let Some(table) = section.section(report, "tags", expected) else { return BTreeMap::new() };
    let mut tags = BTreeMap::new();
    for (name, (place, value)) in table.entries() {
        match value {
            DeValue::String(text) => drop(tags.insert(name, text.to_string())),
            other => wrong_kind(report, &place, "the tag's value, a text", other),
        }
    }
    tags
}
