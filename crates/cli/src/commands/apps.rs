//! `holdfast apps discover`: what Azure knows, what the rules find, and what nobody backs up.

use std::collections::BTreeSet;

use anyhow::Context as _;
use holdfast_model::{AppId, PolicyName, Site, SubscriptionId};
use serde::Serialize;

use crate::args::DiscoverArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use holdfast_config::Fleet;
use holdfast_control::counted;
use holdfast_control::discovery;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    subscriptions: BTreeSet<SubscriptionId>,
    apps: Vec<Entry>,
    /// How many apps were found, shown or not.
    #[serde(skip)]
    found: usize,
    /// How many of all apps found are in no policy.
    unprotected: usize,
    /// Apps that are listed in the fleet file and that Azure does not list.
    not_found: Vec<AppId>,
}

#[derive(Debug, Serialize)]
struct Entry {
    app: AppId,
    name: String,
    policy: Option<PolicyName>,
    via: Via,
    location: String,
    tier: Option<String>,
}

/// How an app came to its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Via {
    /// It has an `[[app]]` entry.
    Listed,
    /// The `[[discover]]` rule of this number, from 0, takes it in.
    Rule(usize),
    /// Nothing names it.
    Nothing,
}

/// Runs the command.
pub async fn run(args: &DiscoverArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let arm = context.azure(&fleet)?;
    let subscriptions = fleet.subscriptions();
    let mut sites = Vec::new();
    for subscription in &subscriptions {
        let found = discovery::sites(&arm, &fleet, subscription).await;
        sites.extend(found.context("failed to discover the apps")?);
    }
    let mut document = sort_out(&fleet, subscriptions, &sites);
    if args.unprotected {
        document.apps.retain(|entry| entry.policy.is_none());
    }
    if context.out.is_json() {
        context.out.json(&document)?;
    } else {
        show(&document, context)?;
    }
    Ok(Exit::Done)
}

fn sort_out(fleet: &Fleet, subscriptions: BTreeSet<SubscriptionId>, sites: &[Site]) -> Document {
    let entry = |site: &Site| {
        let listed = fleet.apps.iter().find(|app| app.id == site.id);
        let rule = fleet.discover.iter().enumerate().find(|(_, rule)| rule.takes(site));
        let (policy, via) = match (listed, rule) {
            (Some(app), _) => (app.policy.clone(), Via::Listed),
            (None, Some((number, rule))) => (Some(rule.policy.clone()), Via::Rule(number)),
            (None, None) => (None, Via::Nothing),
        };
        let (app, name) = (site.id.clone(), site.id.short_name());
        Entry { app, name, policy, via, location: site.location.clone(), tier: site.tier.clone() }
    };
    let mut apps: Vec<Entry> = sites.iter().map(entry).collect();
    apps.sort_by(|a, b| (&a.name, &a.app).cmp(&(&b.name, &b.app)));
    let unprotected = apps.iter().filter(|entry| entry.policy.is_none()).count();
    // Azure lists sites without their slots.
    let is_missing = |id: &&AppId| id.slot().is_none() && !sites.iter().any(|site| site.id == **id);
    let not_found = fleet.apps.iter().map(|app| &app.id).filter(is_missing).cloned().collect();
    Document { subscriptions, found: apps.len(), apps, unprotected, not_found }
}

fn show(document: &Document, context: &Context) -> std::io::Result<()> {
    let mut table = Table::new(["APP", "POLICY", "VIA", "TIER", "LOCATION", "SUBSCRIPTION"]);
    for entry in &document.apps {
        let policy = match &entry.policy {
            Some(policy) => Cell::from(policy.as_str()),
            None => Cell::toned("none", Tone::Warn),
        };
        let via = match entry.via {
            Via::Listed => "[[app]]".to_owned(),
            Via::Rule(number) => format!("discover[{number}]"),
            Via::Nothing => "-".to_owned(),
        };
        let tier = entry.tier.as_deref().unwrap_or("-");
        let subscription = entry.app.subscription().as_str();
        let row =
            [entry.name.as_str().into(), policy, via.into(), tier.into(), entry.location.as_str().into()];
        table.row(row.into_iter().chain([subscription.into()]));
    }
    if !document.apps.is_empty() {
        context.out.table(table)?;
    }
    for app in &document.not_found {
        context.out.message(&format!("warning: Azure does not list {app}, which the fleet file names"));
    }
    let Document { found, unprotected, subscriptions, .. } = document;
    context.out.message(&format!(
        "{} in {}; {unprotected} in no policy",
        counted(*found, "app"),
        counted(subscriptions.len(), "subscription")
    ));
    Ok(())
}
