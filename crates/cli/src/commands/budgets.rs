//! `holdfast budgets`: the request budgets of subscriptions.

use holdfast_control::{budgets, counted};
use holdfast_store::Mode;
use serde_json::json;

use crate::args::BudgetsCommand;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(command: &BudgetsCommand, context: &Context) -> anyhow::Result<Exit> {
    let BudgetsCommand::Reopen { subscription } = command;
    let store = context.store(Mode::Join).await?;
    let opened = budgets::reopen(&*store, subscription, context.actor(), &mut context.rng()).await;
    store.close().await;
    let opened = opened?;
    context.out.show(&json!({ "subscription": subscription, "opened": opened }), || {
        format!("{} of subscription {subscription} opened", counted(opened, "budget")).into()
    })?;
    Ok(Exit::Done)
}
