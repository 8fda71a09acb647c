//! Which apps of Azure the fleet file covers, and by which entry or rule.

use std::collections::BTreeSet;
use std::sync::Arc;

use holdfast_arm::Arm;
use holdfast_config::{Discover, Fleet};
use holdfast_model::{App, AppId, PolicyName, Site, SubscriptionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::discovery;
use crate::error::{Context as _, Error};

/// The apps of Azure in the subscriptions of the fleet file, each with its policy.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Coverage {
    /// The subscriptions asked.
    pub subscriptions: BTreeSet<SubscriptionId>,
    /// The apps, by name.
    pub apps: Vec<CoveredApp>,
    /// How many of the apps are in no policy.
    pub unprotected: usize,
    /// Apps of the fleet file that Azure does not list.
    pub not_found: Vec<AppId>,
    /// Listed resources without a usable id, as Azure names them. They cannot be backed up.
    pub left_out: Vec<String>,
    /// Subscriptions whose apps Azure did not list.
    pub unanswered: Vec<Unanswered>,
    /// Apps whose slots Azure did not list.
    pub without_slots: Vec<WithoutSlots>,
}

/// A subscription whose apps Azure did not list.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Unanswered {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// Why.
    pub error: String,
}

/// An app that Azure lists.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct CoveredApp {
    /// The app.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// What gives it the policy.
    pub via: Via,
    /// Its region.
    pub location: String,
    /// The tier of its plan.
    pub tier: Option<String>,
    /// Why Azure does not back it up.
    pub unsupported: Option<String>,
    /// Why it is in no policy; `null` for an app in one.
    pub why: Option<String>,
}

/// What gives an app its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Its `[[app]]` entry.
    Listed,
    /// The `[[discover]]` rule with this index.
    Rule(usize),
    /// Nothing: it is in no policy.
    Nothing,
}

/// An app whose slots Azure did not list.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct WithoutSlots {
    /// The app.
    pub app: AppId,
    /// Why.
    pub error: String,
}

/// Asks Azure for the apps of every subscription of the fleet file. Fails when no subscription answers.
pub async fn coverage(fleet: &Fleet, arm: &Arc<dyn Arm>) -> Result<Coverage, Error> {
    let subscriptions = fleet.subscriptions();
    let (mut sites, mut left_out, mut unanswered) = (Vec::new(), Vec::new(), Vec::new());
    let mut without_slots = Vec::new();
    for subscription in &subscriptions {
        match discovery::sites(arm, fleet, subscription).await {
            Ok(found) => {
                sites.extend(found.list.sites);
                left_out.extend(found.list.left_out);
                let without = |(app, error): (AppId, holdfast_arm::Error)| WithoutSlots {
                    app,
                    error: error.to_string(),
                };
                without_slots.extend(found.without_slots.into_iter().map(without));
            }
            Err(error) if unanswered.len() + 1 == subscriptions.len() => {
                return Err(error).context("failed to discover the apps");
            }
            Err(error) => {
                let error = error.to_string();
                unanswered.push(Unanswered { subscription: subscription.clone(), error });
            }
        }
    }
    let mut apps: Vec<CoveredApp> = sites.iter().map(|site| CoveredApp::new(site, fleet)).collect();
    apps.sort_by(|a, b| (&a.name, &a.app).cmp(&(&b.name, &b.app)));
    let unprotected = apps.iter().filter(|app| app.policy.is_none()).count();
    // Azure lists sites without their slots.
    let is_listed = |id: &AppId| !unanswered.iter().any(|of| of.subscription == *id.subscription());
    let found: BTreeSet<&AppId> = sites.iter().map(|site| &site.id).collect();
    let is_missing = |id: &&AppId| id.slot().is_none() && is_listed(id) && !found.contains(id);
    let not_found = fleet.apps.iter().map(|app| &app.id).filter(is_missing).cloned().collect();
    Ok(Coverage { subscriptions, apps, unprotected, not_found, left_out, unanswered, without_slots })
}

/// Why an app is in no policy; `None` for one in a policy.
fn why_in_no_policy(site: &Site, fleet: &Fleet, listed: Option<&App>) -> Option<String> {
    if let Some(app) = listed {
        return app.policy.is_none().then(|| "its [[app]] entry names no policy".to_owned());
    }
    if fleet.discover.iter().any(|rule| rule.takes(site)) {
        return None;
    }
    let excludes = |rule: &Discover| {
        rule.subscription == *site.id.subscription()
            && rule.exclude.iter().any(|exclusion| exclusion.leaves_out(&site.id))
    };
    let place = fleet.discover.iter().position(excludes).map(|place| place + 1);
    let of_subscription = fleet.discover.iter().any(|rule| rule.subscription == *site.id.subscription());
    Some(match place {
        Some(place) => format!("[[discover]] rule {place} excludes it"),
        None if of_subscription => "it has the tags of no [[discover]] rule".to_owned(),
        None => "no [[discover]] rule names its subscription".to_owned(),
    })
}

impl CoveredApp {
    fn new(site: &Site, fleet: &Fleet) -> Self {
        let listed = fleet.apps.iter().find(|app| app.id == site.id);
        let rule = fleet.discover.iter().enumerate().find(|(_, rule)| rule.takes(site));
        let (policy, via) = match (listed, rule) {
            (Some(app), _) => (app.policy.clone(), Via::Listed),
            (None, Some((index, rule))) => (Some(rule.policy.clone()), Via::Rule(index)),
            (None, None) => (None, Via::Nothing),
        };
        Self {
            app: site.id.clone(),
            name: site.id.short_name(),
            policy,
            via,
            location: site.location.clone(),
            tier: site.tier.clone(),
            unsupported: site.why_unsupported(),
            why: why_in_no_policy(site, fleet, listed),
        }
    }
}
