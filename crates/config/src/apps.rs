//! The entries `[[app]]` and `[[discover]]`.

use std::collections::BTreeMap;

use holdfast_model::{App, AppId, Timestamp};

use crate::azure::{is_served, subscription};
use crate::databases::{DATABASES, databases};
use crate::diagnostics::{Diagnostics, Located, SourceLocation};
use crate::effective::{EffectiveValue, tag_value};
use crate::exclusion::{Exclusion, InvalidExclusion};
use crate::fleet::{Cloud, Discover};
use crate::policy::{Policies, find};
use crate::section::Section;
use crate::tags::{plain, tags};

/// The most discover rules, which are compared with each other.
const RULES_MAX: usize = 2_000;

/// The most exclusions of a rule, which are compared with each other.
const EXCLUSIONS_MAX: usize = 5_000;

/// A discover rule and its location.
#[derive(Debug)]
pub struct Rule {
    /// The rule.
    pub discover: Discover,
    /// Its location.
    pub place: SourceLocation,
    /// Its exclusions, with their locations.
    pub exclude: Vec<Located<Exclusion>>,
}

/// Reads the apps, and the tags of their entries with where they are.
pub fn apps(
    diagnostics: &mut Diagnostics<'_>,
    file: &mut Section<'_>,
    policies: &Policies,
    clouds: &[Cloud],
    now: Timestamp,
) -> (Vec<App>, BTreeMap<AppId, Vec<EffectiveValue>>) {
    let mut seen: BTreeMap<AppId, String> = BTreeMap::new();
    let (mut apps, mut tags) = (Vec::new(), BTreeMap::new());
    for section in file.sections(diagnostics, "app", "a list of tables, as in [[app]]") {
        let Some(Located { value: (value, said), place }) = app(diagnostics, section, policies, now) else {
            continue;
        };
        if let Some(first) = seen.get(&value.id) {
            let message =
                format_args!("`{}`: {} is listed already, as `{first}`", place.key, value.id.short_name());
            diagnostics.error_with_help(&place, message, "ARM ids have no case: two spellings are one app");
            continue;
        }
        is_served(diagnostics, &place, value.id.subscription(), clouds);
        seen.insert(value.id.clone(), place.key);
        if !said.is_empty() {
            tags.insert(value.id.clone(), said);
        }
        apps.push(value);
    }
    (apps, tags)
}

fn app(
    diagnostics: &mut Diagnostics<'_>,
    mut section: Section<'_>,
    policies: &Policies,
    now: Timestamp,
) -> Option<Located<(App, Vec<EffectiveValue>)>> {
    let expected = "the ARM id of an app";
    let id = section
        .require(diagnostics, "id", expected)
        .then(|| section.parsed::<AppId>(diagnostics, "id", expected));
    let policy = section.text(diagnostics, "policy", "the name of a [policy.NAME]");
    let policy = policy.and_then(|found| find(diagnostics, &found, policies));
    let paused = section.flag(diagnostics, "paused").unwrap_or(false);
    let databases = databases(diagnostics, &mut section, now);
    let tags = tags(diagnostics, &mut section, "an app has one value of each tag");
    section.finish(diagnostics);
    let Located { value: id, place } = id.flatten()?;
    let said = tags.iter().map(|tag| tag_value(diagnostics, tag)).collect();
    let tags = plain::<Vec<_>>(&tags).into_iter().collect();
    Some(Located { value: (App { id, policy, plan: None, databases, tags, paused }, said), place })
}

/// Reads the discover rules.
pub fn discover(
    diagnostics: &mut Diagnostics<'_>,
    file: &mut Section<'_>,
    policies: &Policies,
    clouds: &[Cloud],
) -> Vec<Rule> {
    let mut sections = file.sections(diagnostics, "discover", "a list of tables, as in [[discover]]");
    if let Some(first) = sections.get(RULES_MAX) {
        let message = format_args!("`{}`: expected at most {RULES_MAX} rules", first.place.key);
        diagnostics.error_with_help(
            &first.place,
            message,
            "find apps by tags, and list exceptions as [[app]]",
        );
        sections.truncate(RULES_MAX);
    }
    sections.into_iter().filter_map(|section| rule(diagnostics, section, policies, clouds)).collect()
}

fn rule(
    diagnostics: &mut Diagnostics<'_>,
    mut section: Section<'_>,
    policies: &Policies,
    clouds: &[Cloud],
) -> Option<Rule> {
    let found = section.required(diagnostics, "subscription", "a subscription's id");
    let subscription = found.as_ref().and_then(|found| subscription(diagnostics, found));
    if let Some((id, found)) = subscription.as_ref().zip(found.as_ref()) {
        is_served(diagnostics, &found.place, id, clouds);
    }
    let tags = plain(&tags(diagnostics, &mut section, "write a rule for each value"));
    let policy = section.required(diagnostics, "policy", "the name of a [policy.NAME]");
    let policy = policy.and_then(|found| find(diagnostics, &found, policies));
    let slots = section.flag(diagnostics, "slots").unwrap_or(false);
    let exclude = exclude(diagnostics, &mut section);
    if let Some(first) = section.sections(diagnostics, "databases", DATABASES).first() {
        let message = format_args!(
            "`{}`: a rule cannot name databases, because it does not know its apps",
            first.place.key
        );
        diagnostics.error_with_help(&first.place, message, "list the app as an [[app]] with its databases");
    }
    let place = section.place.clone();
    section.finish(diagnostics);
    let excluded = exclude.iter().map(|found| found.value.clone()).collect();
    let discover = Discover { subscription: subscription?, tags, policy: policy?, slots, exclude: excluded };
    Some(Rule { discover, place, exclude })
}

fn exclude(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Vec<Located<Exclusion>> {
    let mut texts = section.texts(diagnostics, "exclude", "a list of ARM ids or short names");
    if let Some(first) = texts.get(EXCLUSIONS_MAX) {
        let message = format_args!("`{}`: expected at most {EXCLUSIONS_MAX} exclusions", first.place.key);
        diagnostics.error_with_help(&first.place, message, "require `tags` that these apps do not have");
        texts.truncate(EXCLUSIONS_MAX);
    }
    let mut exclude = Vec::new();
    for Located { value: text, place } in texts {
        match Exclusion::parse(text) {
            Ok(value) => exclude.push(Located { value, place }),
            Err(InvalidExclusion(meant)) => {
                let message = format_args!(
                    "`{}`: excludes nothing: expected the ARM id of an app, or a short name such as `shop` or \
                     `shop/staging`, found \"{text}\"",
                    place.key
                );
                let list = || "list each app, or require `tags` that it does not have".to_owned();
                let help = meant.as_ref().map_or_else(list, |meant| format!("write \"{meant}\""));
                diagnostics.error_with_help(&place, message, help);
                // The other checks of the rule see what was meant.
                let meant = meant.and_then(|meant| Exclusion::parse(&meant).ok());
                exclude.extend(meant.map(|value| Located { value, place }));
            }
        }
    }
    exclude
}
