//! `holdfast check`: one verdict for a monitoring system, in the exit code and on stdout.

use holdfast_client::Server;
use holdfast_control::Error;
use holdfast_control::freshness::{CheckLevel, CheckScope, Freshness, freshness, open_metrics, plugin_text};
use holdfast_model::{PolicyName, inert};
use holdfast_store::Mode;

use crate::args::FreshnessArgs;
use crate::context::Context;
use crate::exit::{Exit, advice, render};
use crate::place::Request;

/// Runs the command. An error is the verdict "unknown", because a monitoring system reads nothing else.
pub async fn run(args: &FreshnessArgs, context: &Context) -> anyhow::Result<Exit> {
    let found = match context.ask(args).await {
        Ok(found) => found,
        Err(error) if context.out.is_document() || args.open_metrics => {
            context.out.error(&render(&error));
            return Ok(Exit::Checked(CheckLevel::Unknown));
        }
        Err(error) => {
            let help = advice(&error).map(|help| format!("\nhelp: {}", inert(&help))).unwrap_or_default();
            context.out.text(&format!("HOLDFAST UNKNOWN - {}{help}", inert(&format!("{error:#}"))))?;
            return Ok(Exit::Checked(CheckLevel::Unknown));
        }
    };
    if args.open_metrics {
        context.out.text(open_metrics(&found).trim_end())?;
    } else {
        context.out.show(&found, || plugin_text(&found).into())?;
    }
    Ok(Exit::Checked(found.level))
}

impl Request for FreshnessArgs {
    type Answer = Freshness;

    async fn here(&self, context: &Context) -> anyhow::Result<Freshness> {
        let store = context.store(Mode::Read).await?;
        let found = freshness(&*store, &self.scope()).await;
        store.close().await;
        Ok(found?)
    }

    async fn there(&self, server: &Server) -> Result<Freshness, Error> {
        server.check(&self.scope()).await
    }
}

impl FreshnessArgs {
    fn scope(&self) -> CheckScope {
        CheckScope {
            app: self.app.clone(),
            policy: self.policy.as_deref().map(PolicyName::new),
            tags: self.tags.iter().cloned().collect(),
        }
    }
}
