//! The policies of the fleet file.

use std::collections::BTreeMap;

use holdfast_config::{EffectiveValue, Fleet, nearest};
use holdfast_model::{AppId, Policy, PolicyName};
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
    let (app, Policy { name: policy, .. }) = policy_of_app(fleet, enrolled, name)?;
    Ok(vec![of(Some(app), policy)])
}

/// The app that `name` names, and its policy.
///
/// `enrolled` are the apps of the store, which also has discovered apps.
pub fn policy_of_app<'f>(
    fleet: &'f Fleet,
    enrolled: Vec<AppStatus>,
    name: &str,
) -> Result<(AppId, &'f Policy), Error> {
    let mut apps: Vec<(AppId, Option<PolicyName>)> =
        fleet.apps.iter().map(|app| (app.id.clone(), app.policy.clone())).collect();
    for status in enrolled.into_iter().filter(|status| !status.removed) {
        if !apps.iter().any(|(app, _)| *app == status.app) {
            apps.push((status.app, status.policy));
        }
    }
    let ids: Vec<AppId> = apps.iter().map(|(app, _)| app.clone()).collect();
    let app = app_names::app(&ids, name)?;
    let policy = apps.into_iter().find(|(id, _)| *id == app).and_then(|(_, policy)| policy);
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
