//! `holdfast apps discover`: the apps that Azure lists, and the policy of each.

use holdfast_client::Server;
use holdfast_control::coverage::{Coverage, CoveredApp, Unanswered, Via, WithoutSlots, coverage};
use holdfast_control::{Error, counted};
use holdfast_store::Mode;

use crate::args::DiscoverArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::place::Request;

/// Runs the command.
pub async fn run(args: &DiscoverArgs, context: &Context) -> anyhow::Result<Exit> {
    let mut coverage = context.ask(args).await?;
    let found = coverage.apps.len();
    if args.unprotected {
        coverage.apps.retain(|app| app.policy.is_none());
    }
    if context.out.is_document() {
        context.out.document(&coverage)?;
        return Ok(exit(&coverage));
    }
    if !coverage.apps.is_empty() {
        context.out.table(table(&coverage))?;
    }
    for app in &coverage.not_found {
        context.out.message(&format!("warning: Azure does not list {app}, which the fleet file names"));
    }
    for app in coverage.apps.iter().filter(|app| app.policy.is_some()) {
        let Some(why) = &app.unsupported else { continue };
        context.out.message(&format!("warning: {} is {why}: its runs are not started", app.name));
    }
    for id in &coverage.left_out {
        context.out.message(&format!("warning: left out, because its id is not an app's: {id}"));
    }
    for Unanswered { subscription, error } in &coverage.unanswered {
        context.out.message(&format!("warning: subscription {subscription} is left out: {error}"));
    }
    for WithoutSlots { app, error } in &coverage.without_slots {
        context.out.message(&format!("warning: the slots of {} are left out: {error}", app.short_name()));
    }
    context.out.message(&format!(
        "{} in {}; {} in no policy",
        counted(found, "app"),
        counted(coverage.subscriptions.len() - coverage.unanswered.len(), "subscription"),
        coverage.unprotected
    ));
    Ok(exit(&coverage))
}

impl Request for DiscoverArgs {
    type Answer = Coverage;

    async fn here(&self, context: &Context) -> anyhow::Result<Coverage> {
        let store = context.store(Mode::Join).await.ok();
        let fleet = match &store {
            Some(store) => context.fleet_in(&**store).await?,
            None => context.fleet()?,
        };
        let coverage = coverage(&fleet, &context.azure(&fleet, store.as_ref())?).await;
        if let Some(store) = store {
            store.close().await;
        }
        Ok(coverage?)
    }

    async fn there(&self, server: &Server) -> Result<Coverage, Error> {
        server.discovery().await
    }
}

/// A partial result is shown, and is still a failure of Azure's.
fn exit(coverage: &Coverage) -> Exit {
    let is_whole = coverage.unanswered.is_empty() && coverage.without_slots.is_empty();
    if is_whole { Exit::Done } else { Exit::Azure }
}

/// The tier, marked where Azure does not back up the app.
fn tier(app: &CoveredApp) -> Cell {
    let tier = app.tier.as_deref().unwrap_or("-");
    match app.unsupported {
        Some(_) => Cell::toned(format!("{tier} (no backups)"), Tone::Warn),
        None => Cell::from(tier),
    }
}

fn table(coverage: &Coverage) -> Table {
    let mut table = Table::new(["APP", "POLICY", "VIA", "TIER", "LOCATION", "SUBSCRIPTION"]);
    for app in &coverage.apps {
        let policy = match &app.policy {
            Some(policy) => Cell::from(policy.as_str()),
            None => Cell::toned("none", Tone::Warn),
        };
        let via = match app.via {
            Via::Listed => "[[app]]".to_owned(),
            Via::Rule(index) => format!("discover[{index}]"),
            Via::Nothing => "-".to_owned(),
        };
        table.row([
            app.name.as_str().into(),
            policy,
            via.into(),
            tier(app),
            app.location.as_str().into(),
            app.app.subscription().as_str().into(),
        ]);
    }
    table
}
