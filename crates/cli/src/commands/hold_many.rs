//! `holdfast hold add` and `hold remove` of many apps.

use holdfast_client::Server;
use holdfast_control::holds::many::{HoldsPlan, ManyHolds, change_holds, plan_holds};
use holdfast_control::{Error, counted};
use holdfast_model::format_timestamp;
use holdfast_store::Mode;

use crate::args::HoldOptions;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::place::Request;
use crate::runtime::backends::Backends;

/// Shows what is held or released, asks unless apps are named, and does it.
pub async fn change(request: &ManyHolds, options: &HoldOptions, context: &Context) -> anyhow::Result<Exit> {
    let plan = context.ask(request).await?;
    for left in &plan.left_out {
        context.out.message(&format!("{} is left out: {}", left.app.short_name(), left.why));
    }
    let backups = counted(plan.backups.len(), "backup");
    if plan.backups.is_empty() {
        context.out.message("nothing is to do");
    } else {
        context.out.message_table(table(&plan));
        let verb = if request.release { "Release" } else { "Hold" };
        let is_named = request.select.has_names_alone();
        confirm::agreed(&format!("{verb} {backups}?"), options.yes || is_named, context)?;
        context.ask(&Change { request, plan: &plan, reason: &options.reason }).await?;
    }
    let word = if request.release { "no longer held" } else { "held" };
    context.out.show(&plan, || format!("{backups} {word}").into())?;
    Ok(Exit::Done)
}

impl Request for ManyHolds {
    type Answer = HoldsPlan;

    async fn here(&self, context: &Context) -> anyhow::Result<HoldsPlan> {
        let store = context.store(Mode::Read).await?;
        let plan = plan_holds(&*store, self).await?;
        store.close().await;
        Ok(plan)
    }

    async fn there(&self, server: &Server) -> Result<HoldsPlan, Error> {
        server.plan_holds(self).await
    }
}

/// A plan that is carried out.
struct Change<'a> {
    request: &'a ManyHolds,
    plan: &'a HoldsPlan,
    reason: &'a str,
}

impl Request for Change<'_> {
    type Answer = ();

    async fn here(&self, context: &Context) -> anyhow::Result<()> {
        let backends = Backends::open_beside(context).await?;
        let (store, actor) = (&*backends.store, context.actor());
        change_holds(store, self.plan, (&actor, self.reason), None, &mut context.rng()).await?;
        store.close().await;
        Ok(())
    }

    async fn there(&self, server: &Server) -> Result<(), Error> {
        server.change_holds(self.request, self.reason, self.plan.backups.len()).await
    }
}

fn table(plan: &HoldsPlan) -> Table {
    let mut table =
        Table::new([if plan.release { "TO RELEASE" } else { "TO HOLD" }, "BACKUP", "TAKEN", "HELD FOR"]);
    for entry in &plan.backups {
        table.row([
            entry.app.short_name().into(),
            entry.backup.id.to_string().into(),
            format_timestamp(entry.backup.accepted_at).into(),
            entry.hold.as_deref().unwrap_or("-").into(),
        ]);
    }
    table
}
