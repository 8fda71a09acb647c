//! `holdfast budgets`: the request budgets of subscriptions.

use holdfast_client::Server;
use holdfast_control::{Error, budgets, counted};
use holdfast_model::SubscriptionId;
use holdfast_store::Mode;
use serde_json::json;

use crate::args::BudgetsCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::place::Request;

/// Runs the command.
pub async fn run(command: &BudgetsCommand, context: &Context) -> anyhow::Result<Exit> {
    let BudgetsCommand::Reopen { subscription } = command;
    let opened = context.ask(subscription).await?;
    context.out.show(&json!({ "subscription": subscription, "opened": opened }), || {
        format!("{} of subscription {subscription} opened", counted(opened, "budget")).into()
    })?;
    Ok(Exit::Done)
}

/// A subscription asks for its closed budgets to be opened.
impl Request for SubscriptionId {
    type Answer = u64;

    async fn here(&self, context: &Context) -> anyhow::Result<u64> {
        let store = context.store(Mode::Join).await?;
        let opened = budgets::reopen(&*store, self, context.actor(), &mut context.rng()).await;
        store.close().await;
        Ok(opened?)
    }

    async fn there(&self, server: &Server) -> Result<u64, Error> {
        server.reopen_budgets(self).await
    }
}
