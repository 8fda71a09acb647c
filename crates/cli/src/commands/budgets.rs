//! `holdfast budgets`: the request budgets of subscriptions.

use holdfast_control::{Error, ErrorKind, counted};
use holdfast_model::SubscriptionId;
use holdfast_store::{Mode, Store};
use serde_json::json;

use crate::args::BudgetsCommand;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(command: &BudgetsCommand, context: &Context) -> anyhow::Result<Exit> {
    let BudgetsCommand::Reopen { subscription } = command;
    let store = context.store(Mode::Join).await?;
    let opened = reopen(&*store, subscription).await;
    store.close().await;
    let opened = opened?;
    context.out.show(&json!({ "subscription": subscription, "opened": opened }), || {
        format!("{} of subscription {subscription} opened", counted(opened, "budget")).into()
    })?;
    Ok(Exit::Done)
}

async fn reopen(store: &dyn Store, subscription: &SubscriptionId) -> anyhow::Result<u64> {
    let known = store.subscriptions().await?;
    if known.iter().all(|status| status.subscription != *subscription) {
        let what = format!("no subscription {subscription} was listed or has a closed budget");
        let error = Error::new(ErrorKind::NotFound, what);
        return Err(error.help("`holdfast status --output json` has the subscriptions").into());
    }
    Ok(store.open_budgets(subscription).await?)
}
