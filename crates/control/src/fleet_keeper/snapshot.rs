//! The fleet snapshot, from the fleet file, Azure's lists and the enrolled apps. Pure.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_config::Fleet;
use holdfast_model::{App, AppId, Site, SubscriptionId};
use holdfast_scheduler::{FleetSnapshot, Proof, Sighting};
use holdfast_store::AppStatus;

use super::subscription_list::SubscriptionList;
use crate::storage_accounts;

/// The fleet: the apps of the file and of the lists, and the enrolled apps that are not proved gone.
pub(super) fn of(
    file: &Fleet,
    lists: &BTreeMap<SubscriptionId, SubscriptionList>,
    departed: &BTreeMap<AppId, Proof>,
    enrolled: &BTreeMap<AppId, AppStatus>,
) -> FleetSnapshot {
    let sites: Vec<Site> = lists.values().flat_map(|list| &list.sites).cloned().collect();
    let listed: BTreeSet<&AppId> = sites.iter().map(|site| &site.id).collect();
    let mut apps: BTreeMap<AppId, App> =
        file.apps_with(&sites).into_iter().map(|app| (app.id.clone(), app)).collect();
    let remembered = enrolled.values().filter(|app| {
        !departed.contains_key(&app.app) && !apps.contains_key(&app.app) && is_listable(lists, &app.app)
    });
    let remembered: Vec<App> = remembered.map(|app| remember(file, app)).collect();
    apps.extend(remembered.into_iter().map(|app| (app.id.clone(), app)));
    for app in apps.values_mut().filter(|app| !listed.contains(&app.id)) {
        let Some(status) = enrolled.get(&app.id) else { continue };
        app.plan = app.plan.take().or_else(|| status.plan.clone());
        app.tags = app.tags.or(&status.tags);
    }
    for app in apps.values_mut() {
        app.tags = file.tags_of(app);
    }
    let sighting = |id: &AppId| {
        let list = lists.get(id.subscription());
        let seen_at = enrolled.get(id).and_then(|app| app.seen_at);
        let observed_at = if listed.contains(id) { list.and_then(|list| list.observed_at) } else { seen_at };
        Sighting {
            observed_at,
            missing_since: list.and_then(|list| list.missing.get(id)).map(|missing| missing.since),
            owed_since: list.and_then(|list| list.owed.get(id)).copied(),
        }
    };
    let named: BTreeSet<&AppId> = file.apps.iter().map(|app| &app.id).collect();
    let sightings = apps.keys().filter(|id| listed.contains(id) || !named.contains(id));
    let sightings = sightings.map(|id| (id.clone(), sighting(id))).collect();
    let unanswered = lists.iter().filter(|(_, list)| list.observed_at.is_none());
    let unsupported = sites.iter().filter(|site| site.why_unsupported().is_some());
    FleetSnapshot {
        unsupported: unsupported.map(|site| site.id.clone()).collect(),
        sightings,
        departed: departed.clone(),
        unanswered: unanswered.map(|(subscription, _)| subscription.clone()).collect(),
        apps,
        policies: file.policies.clone(),
        accounts: storage_accounts(file),
    }
}

fn is_listable(lists: &BTreeMap<SubscriptionId, SubscriptionList>, app: &AppId) -> bool {
    lists.contains_key(app.subscription())
}

/// An enrolled app as the store has it. A policy that no rule gives any more is left out.
fn remember(file: &Fleet, status: &AppStatus) -> App {
    let is_given = |name: &_| file.discover.iter().any(|rule| rule.policy == *name);
    App {
        policy: status.policy.clone().filter(is_given),
        plan: status.plan.clone(),
        paused: status.paused,
        ..App::new(status.app.clone())
    }
}

/// The app of a slot.
pub(super) fn parent_of(slot: &AppId) -> AppId {
    AppId::new(slot.subscription().as_str(), slot.resource_group(), slot.site(), None)
}

/// Whether `app` is a slot whose app is listed, and no rule takes the slots of that app.
pub(super) fn is_unwanted_slot(file: &Fleet, sites: &[Site], app: &AppId) -> bool {
    let Some(_) = app.slot() else { return false };
    let parent = parent_of(app);
    let parent = sites.iter().find(|site| site.id == parent);
    parent.is_some_and(|parent| !file.discover.iter().any(|rule| rule.slots && rule.takes(parent)))
}
