//! Warns about entries of the fleet file that match nothing.

use std::collections::BTreeSet;

use holdfast_model::{App, PolicyName, StorageName};

use crate::apps::Rule;
use crate::diagnostics::{Diagnostics, Located};
use crate::exclusion::Exclusion;
use crate::fleet::Discover;
use crate::policy::Policies;
use crate::storage::Storages;

/// Warns about exclusions, discover rules, policies and storages without an effect.
pub fn check(
    diagnostics: &mut Diagnostics<'_>,
    (rules, apps): (&[Rule], &[App]),
    (policies, extended): (&Policies, &BTreeSet<PolicyName>),
    storages: &Storages,
    receive_checkpoints: &BTreeSet<&StorageName>,
) {
    for rule in rules {
        exclusions(diagnostics, rule, apps);
    }
    hidden_rules(diagnostics, rules);
    // In a file with errors the intended references are not known.
    let has_apps = !rules.is_empty() || !apps.is_empty();
    if has_apps && !diagnostics.has_errors() {
        unused_policies(diagnostics, (rules, apps), policies, extended);
        unused_storages(diagnostics, policies, storages, receive_checkpoints);
    }
}

fn exclusions(diagnostics: &mut Diagnostics<'_>, rule: &Rule, apps: &[App]) {
    for (index, Located { value: exclusion, place }) in rule.exclude.iter().enumerate() {
        let mut warn = |message: String, help: &str| {
            diagnostics.warning(place, format_args!("`{}`: {message}", place.key), Some(help.to_owned()));
        };
        let mut before = rule.exclude.iter().take(index);
        let subscription = &rule.discover.subscription;
        if let Some(first) = before.find(|other| other.value == *exclusion) {
            warn(format!("is excluded already, as `{}`", first.place.key), "remove it");
        } else if exclusion.is_slot() && !rule.discover.slots {
            warn(
                "excludes nothing, because the rule takes no slots".to_owned(),
                "remove it, or write `slots = true`",
            );
        } else if let Exclusion::App(id) = exclusion
            && id.subscription() != subscription
        {
            let message =
                format!("excludes nothing, because the rule takes apps of the subscription {subscription}");
            warn(message, "move it to the rule of that subscription");
        } else if let Some(app) = apps.iter().find(|app| is_listed(app, exclusion, &rule.discover)) {
            let name = app.id.short_name();
            warn(
                format!(
                    "excludes nothing, because {name} is an [[app]] with a policy, which wins over rules"
                ),
                "remove this entry, or the policy of the [[app]]",
            );
        }
    }
}

fn is_listed(app: &App, exclusion: &Exclusion, rule: &Discover) -> bool {
    app.policy.is_some() && *app.id.subscription() == rule.subscription && exclusion.leaves_out(&app.id)
}

/// Warns about rules whose apps all match an earlier rule.
fn hidden_rules(diagnostics: &mut Diagnostics<'_>, rules: &[Rule]) {
    for (index, rule) in rules.iter().enumerate() {
        let mut earlier = rules.iter().take(index);
        let Some(first) = earlier.find(|first| takes_all(&first.discover, &rule.discover)) else { continue };
        let message = format_args!(
            "`{}`: finds nothing, because `{}` takes the same apps and the first rule that matches applies",
            rule.place.key, first.place.key
        );
        let help = format!("move it before `{}`, or remove it", first.place.key);
        diagnostics.warning(&rule.place, message, Some(help));
    }
}

/// Whether `first` takes every app that `second` could take.
fn takes_all(first: &Discover, second: &Discover) -> bool {
    let is_required = |(name, value): (&String, &String)| {
        second.tags.iter().any(|(other, wanted)| other.eq_ignore_ascii_case(name) && wanted == value)
    };
    first.subscription == second.subscription
        && (first.slots || !second.slots)
        && first.tags.iter().all(is_required)
        && first.exclude.iter().all(|exclusion| second.exclude.contains(exclusion))
}

fn unused_policies(
    diagnostics: &mut Diagnostics<'_>,
    (rules, apps): (&[Rule], &[App]),
    policies: &Policies,
    extended: &BTreeSet<PolicyName>,
) {
    let of_apps = apps.iter().filter_map(|app| app.policy.as_ref());
    let of_rules = rules.iter().map(|rule| &rule.discover.policy);
    let used: BTreeSet<_> = of_apps.chain(of_rules).chain(extended).collect();
    for (name, Located { place, .. }) in policies.iter().filter(|(name, _)| !used.contains(name)) {
        let message = format_args!("`{}`: no [[app]] and no [[discover]] has the policy {name}", place.key);
        diagnostics.warning(place, message, Some("remove it, or give it to apps".to_owned()));
    }
}

fn unused_storages(
    diagnostics: &mut Diagnostics<'_>,
    policies: &Policies,
    storages: &Storages,
    receive_checkpoints: &BTreeSet<&StorageName>,
) {
    let policies = policies.values().filter_map(|found| found.value.as_ref());
    let written = policies.map(|policy| policy.policy_snapshot.storage.section());
    let used: BTreeSet<&str> = written.chain(receive_checkpoints.iter().map(|name| name.section())).collect();
    for (name, Located { place, .. }) in storages.iter().filter(|(name, _)| !used.contains(name.section())) {
        let message = format_args!("`{}`: no policy writes to the storage {name}", place.key);
        let help = "remove it, unless it holds backups that are still needed";
        diagnostics.warning(place, message, Some(help.to_owned()));
    }
}
