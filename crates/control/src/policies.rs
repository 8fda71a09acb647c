//! The policies of the fleet file.

use std::collections::BTreeMap;

use holdfast_config::{EffectiveValue, Fleet, nearest};
use holdfast_model::{AppId, Policy, PolicyName, Tags};
use holdfast_store::AppStatus;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_names;
use crate::error::{Error, ErrorKind};

/// The policies of a fleet file, with the lines that their values come from.
#[derive(Debug, Clone, Default)]
pub struct FleetPolicies {
    /// The policies.
    pub by_name: BTreeMap<PolicyName, Policy>,
    /// Their values.
    pub effective: BTreeMap<PolicyName, Vec<EffectiveValue>>,
}

impl From<&Fleet> for FleetPolicies {
    fn from(fleet: &Fleet) -> Self {
        Self { by_name: fleet.policies.clone(), effective: fleet.effective.clone() }
    }
}

/// The values of a policy, each with the section and the line that say it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct EffectivePolicy {
    /// The app that was asked for; `None` for the policy itself.
    pub app: Option<AppId>,
    /// The policy.
    pub policy: PolicyName,
    /// Its values.
    #[schema(value_type = Vec<Object>)]
    pub values: Vec<EffectiveValue>,
}

/// The values that apply to the app that `name` names, or without a name those of every policy.
///
/// `enrolled` are the apps of the store, which also has discovered apps.
pub fn effective_policies(
    fleet: &Fleet,
    enrolled: Vec<AppStatus>,
    name: Option<&str>,
) -> Result<Vec<EffectivePolicy>, Error> {
    let of = |app: Option<AppId>, policy: &PolicyName| EffectivePolicy {
        app,
        policy: policy.clone(),
        values: fleet.effective.get(policy).cloned().unwrap_or_default(),
    };
    let Some(name) = name else {
        return Ok(fleet.policies.keys().map(|policy| of(None, policy)).collect());
    };
    let known: BTreeMap<AppId, Tags> =
        enrolled.iter().map(|status| (status.app.clone(), status.tags.clone())).collect();
    let (app, Policy { name: policy, .. }) = policy_of_app(fleet, enrolled, name)?;
    let mut found = of(None, policy);
    found.values = with_tags(fleet, &app, known.get(&app), found.values);
    Ok(vec![EffectivePolicy { app: Some(app), ..found }])
}

/// The values of a policy with the tags of an app: those of its entry, then those of Azure, last those of the policy.
fn with_tags(
    fleet: &Fleet,
    app: &AppId,
    known: Option<&Tags>,
    of_policy: Vec<EffectiveValue>,
) -> Vec<EffectiveValue> {
    let (of_policy, mut values): (Vec<_>, Vec<_>) = of_policy.into_iter().partition(EffectiveValue::is_tag);
    let of_entry = fleet.tags.of_apps.get(app).cloned().unwrap_or_default();
    let is_of_policy =
        |tag: &EffectiveValue| of_policy.iter().any(|of| (&of.key, &of.value) == (&tag.key, &tag.value));
    let stored =
        known.into_iter().flat_map(Tags::iter).map(|(name, value)| EffectiveValue::of_azure(name, value));
    // The store does not know where a tag is from.
    let of_azure: Vec<_> = stored.filter(|tag| !is_of_policy(tag)).collect();
    for tag in of_entry.into_iter().chain(of_azure).chain(of_policy) {
        if !values.iter().any(|value| value.key == tag.key) {
            values.push(tag);
        }
    }
    values
}

/// The app that `name` names, and its policy.
///
/// `enrolled` are the apps of the store, which also has discovered apps.
pub fn policy_of_app<'f>(
    fleet: &'f Fleet,
    enrolled: Vec<AppStatus>,
    name: &str,
) -> Result<(AppId, &'f Policy), Error> {
    let listed = fleet.apps.iter().map(|app| (app.id.clone(), app.policy.clone()));
    let mut apps: BTreeMap<AppId, Option<PolicyName>> = listed.collect();
    for status in enrolled.into_iter().filter(|status| !status.removed) {
        apps.entry(status.app).or_insert(status.policy);
    }
    let ids: Vec<AppId> = apps.keys().cloned().collect();
    let app = app_names::app(&ids, name)?;
    let policy = apps.remove(&app).flatten();
    let Some(policy) = policy.and_then(|name| fleet.policies.get(&name)) else {
        let what = format!("{} is in no policy", app.short_name());
        return Err(Error::new(ErrorKind::Conflict, what).help("give it one in the fleet file"));
    };
    Ok((app, policy))
}

/// The policy of this name; `NotFound` when the fleet file has none.
pub fn policy_named<'f>(fleet: &'f Fleet, name: &PolicyName) -> Result<&'f Policy, Error> {
    fleet.policies.get(name).ok_or_else(|| {
        let names = || fleet.policies.keys().map(PolicyName::as_str);
        let help = nearest(name.as_str(), names()).map_or_else(
            || format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Error::new(ErrorKind::NotFound, format!("no policy is called `{name}`")).help(help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revisions::fixture::{app, entry, fleet};

    #[test]
    fn the_tags_of_an_app_are_told_with_where_they_are_from() {
        let text = format!(
            "{}tags = {{ team = \"shop\" }}\n[defaults]\ntags = {{ env = \"prod\", tier = \"1\", Team = \"ops\" }}\n",
            entry("shop", "gold")
        );
        let tags = [("team", "shop"), ("env", "prod"), ("tier", "2"), ("cost", "7")].into_iter().collect();
        let status = AppStatus { tags, ..AppStatus::new(app("shop")) };
        let found = effective_policies(&fleet(&text), vec![status], Some("shop")).unwrap().remove(0);
        let tags = found.values.iter().filter(|value| value.is_tag());
        let told: Vec<_> = tags
            .map(|tag| (tag.key.as_ref(), tag.value.as_str(), tag.section.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(
            told,
            [
                ("tags.team", "\"shop\"", "app[0]"),
                ("tags.cost", "\"7\"", "Azure"),
                ("tags.tier", "\"2\"", "Azure"),
                ("tags.env", "\"prod\"", "defaults"),
            ]
        );
    }
}
