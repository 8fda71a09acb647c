//! What two fleet files say differently, field by field. Pure.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_config::{Discover, EffectiveValue, Fleet};
use holdfast_model::{AppId, PolicyName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A value that changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FieldChange {
    /// Its key, such as `retention` of a policy or `engine.lease`.
    pub key: String,
    /// The value before; `None` where there was none.
    pub before: Option<String>,
    /// The value after; `None` where there is none any more.
    pub after: Option<String>,
}

/// A policy that comes, goes or changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PolicyChange {
    /// The policy.
    pub policy: PolicyName,
    /// What happens to it.
    pub kind: ChangeKind,
    /// The values that change, as they apply; of a new policy all, of a removed one none.
    pub fields: Vec<FieldChange>,
}

/// What happens to a part of the fleet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has other values.
    Changed,
}

/// Backups of an app that retention would delete now, and would not have before.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct DeletionChange {
    /// The app.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// The policy whose rule deletes them.
    pub policy: PolicyName,
    /// Whether the rule only reports.
    pub dry_run: bool,
    /// Azure's numbers of the backups.
    pub backups: Vec<i64>,
}

/// The policies that come, go or change, by name.
pub(super) fn policies(old: &Fleet, new: &Fleet) -> Vec<PolicyChange> {
    let names: BTreeSet<&PolicyName> = old.policies.keys().chain(new.policies.keys()).collect();
    let change = |policy: &PolicyName| {
        let (before, after) = (values(old, policy), values(new, policy));
        let kind = match (before.is_some(), after.is_some()) {
            (false, _) => ChangeKind::Added,
            (_, false) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        };
        let fields = after.map(|after| fields(&before.unwrap_or_default(), &after)).unwrap_or_default();
        let is_same = kind == ChangeKind::Changed && fields.is_empty();
        (!is_same).then(|| PolicyChange { policy: policy.clone(), kind, fields })
    };
    names.into_iter().filter_map(change).collect()
}

fn values(fleet: &Fleet, policy: &PolicyName) -> Option<BTreeMap<String, String>> {
    let value = |EffectiveValue { key, value, .. }: &EffectiveValue| (key.to_string(), value.clone());
    fleet.policies.get(policy)?;
    Some(fleet.effective.get(policy).into_iter().flatten().map(value).collect())
}

/// The values outside of policies, apps and rules that change, by key.
pub(super) fn settings(old: &Fleet, new: &Fleet) -> Vec<FieldChange> {
    fields(&old.settings, &new.settings)
}

fn fields(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<FieldChange> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |key: &String| {
        let (before, after) = (old.get(key).cloned(), new.get(key).cloned());
        (before != after).then(|| FieldChange { key: key.clone(), before, after })
    };
    keys.into_iter().filter_map(change).collect()
}

/// The rules of `fleet` that `other` does not have, as text.
pub(super) fn rules_beyond(fleet: &Fleet, other: &Fleet) -> Vec<String> {
    fleet.discover.iter().filter(|rule| !other.discover.contains(rule)).map(rule_text).collect()
}

fn rule_text(rule: &Discover) -> String {
    let Discover { subscription, tags, policy, slots, exclude } = rule;
    let tags: Vec<String> = tags.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
    let slots = if *slots { ", with slots" } else { "" };
    let without = match exclude.len() {
        0 => String::new(),
        excluded => format!(", {} left out", crate::counted(excluded, "app")),
    };
    format!("subscription {subscription}, tags {{ {} }} -> {policy}{slots}{without}", tags.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revisions::fixture::{HEAD, read, text};
    use holdfast_config::FleetText;

    fn edited(from: &str, to: &str) -> Fleet {
        assert!(HEAD.contains(from), "{from}");
        let text = text("");
        read(&FleetText { text: text.text.replacen(from, to, 1), ..text })
    }

    #[test]
    fn a_value_of_a_policy_changes_from_old_to_new_also_where_it_is_inherited() {
        let old = read(&text(""));
        let changed = |fleet: &Fleet| {
            let told = |change: PolicyChange| {
                let all = change.fields.into_iter().map(|FieldChange { key, before, after }| {
                    format!("{key} {} {}", before.unwrap_or_default(), after.unwrap_or_default())
                });
                (change.policy.to_string(), all.collect::<Vec<_>>())
            };
            policies(&old, fleet).into_iter().map(told).collect::<Vec<_>>()
        };
        let own = edited("schedule = \"0 2 * * *\"", "schedule = \"0 2 * * *\"\ndeadline = \"9h\"");
        let deadline = || vec!["deadline \"4h\" \"9h\"".to_owned()];
        assert_eq!(changed(&own), [("gold".to_owned(), deadline())]);
        let inherited = edited("[azure]", "[defaults]\ndeadline = \"9h\"\n\n[azure]");
        assert_eq!(changed(&inherited), [("gold".to_owned(), deadline()), ("silver".to_owned(), deadline())]);
    }

    #[test]
    fn policies_come_and_go_and_other_sections_are_compared_key_by_key() {
        let old = read(&text(""));
        let renamed = edited("[policy.silver]", "[policy.bronze]");
        let kinds: Vec<_> = policies(&old, &renamed)
            .into_iter()
            .map(|change| (change.policy.to_string(), change.kind))
            .collect();
        assert_eq!(kinds, [("bronze".into(), ChangeKind::Added), ("silver".into(), ChangeKind::Removed)]);
        let moved = edited("acct.blob", "other.blob");
        let found = settings(&old, &moved);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].key, "storage.weu.container");
        assert_eq!(found[0].after.as_deref(), Some("\"https://other.blob.core.windows.net/backups\""));
        assert_eq!(settings(&old, &edited("credential =", "credential  =  ")), []);
    }
}
