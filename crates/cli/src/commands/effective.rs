//! `holdfast config show`: the values of policies as they apply.

use holdfast_client::Server;
use holdfast_control::{EffectivePolicy, Error, effective_policies};
use holdfast_model::AppId;

use crate::args::EffectiveArgs;
use crate::commands::preview::enrolled;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table};
use crate::place::Request;

/// Runs the command.
pub async fn run(args: &EffectiveArgs, context: &Context) -> anyhow::Result<Exit> {
    let policies = context.ask(args).await?;
    context.out.show(&policies, || table(&policies).into())?;
    Ok(Exit::Done)
}

impl Request for EffectiveArgs {
    type Answer = Vec<EffectivePolicy>;

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        let fleet = context.fleet_for_reading().await?;
        let name = self.effective.as_deref();
        let apps = if name.is_some() { enrolled(context).await? } else { Vec::new() };
        Ok(effective_policies(&fleet, apps, name)?)
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        server.policies(self.effective.as_deref()).await
    }
}

fn table(policies: &[EffectivePolicy]) -> Table {
    let mut table = Table::new(["APP", "POLICY", "KEY", "VALUE", "FROM", "LINE"]);
    for EffectivePolicy { app, policy, values } in policies {
        let app = app.as_ref().map(AppId::short_name);
        for value in values {
            table.row([
                Cell::or_dash(app.clone()),
                policy.as_str().into(),
                value.key.as_ref().into(),
                value.value.as_str().into(),
                value.section.as_deref().unwrap_or("built in").into(),
                Cell::or_dash(value.place()),
            ]);
        }
    }
    table
}
