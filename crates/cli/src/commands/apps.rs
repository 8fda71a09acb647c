//! `holdfast apps discover`: the apps that Azure lists, and the policy of each.

use holdfast_control::counted;
use holdfast_control::coverage::{Coverage, Via, coverage};
use holdfast_store::Mode;

use crate::args::DiscoverArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};

/// Runs the command.
pub async fn run(args: &DiscoverArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let store = context.store(Mode::Join).await.ok();
    let coverage = coverage(&fleet, &context.azure(&fleet, store.as_ref())?).await;
    if let Some(store) = store {
        store.close().await;
    }
    let mut coverage = coverage?;
    let found = coverage.apps.len();
    if args.unprotected {
        coverage.apps.retain(|app| app.policy.is_none());
    }
    if context.out.is_json() {
        context.out.json(&coverage)?;
        return Ok(Exit::Done);
    }
    if !coverage.apps.is_empty() {
        context.out.table(table(&coverage))?;
    }
    for app in &coverage.not_found {
        context.out.message(&format!("warning: Azure does not list {app}, which the fleet file names"));
    }
    context.out.message(&format!(
        "{} in {}; {} in no policy",
        counted(found, "app"),
        counted(coverage.subscriptions.len(), "subscription"),
        coverage.unprotected
    ));
    Ok(Exit::Done)
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
            app.tier.as_deref().unwrap_or("-").into(),
            app.location.as_str().into(),
            app.app.subscription().as_str().into(),
        ]);
    }
    table
}
