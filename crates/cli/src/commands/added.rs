//! Runs that a command added: shown, and followed when the command line asks for that.

use holdfast_client::Started;
use holdfast_control::ControlContext;
use holdfast_control::approvals::{self, ApprovalView, waits};
use holdfast_control::runs::RunView;

use crate::commands::outcome::state_cell;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::submitter::{AddsRuns, Submitter};

/// Starts what is planned, and shows its runs, with `wait` at their ends.
pub async fn start<C: AddsRuns>(
    submitter: Submitter,
    (change, plan): (&C, &C::Plan),
    wait: bool,
    context: &Context,
) -> anyhow::Result<Exit> {
    let show = |views: &[RunView]| Ok(context.out.show(&views, || table(views).into())?);
    start_showing(submitter, (change, plan), wait, context, show).await
}

/// The same with another look.
pub async fn start_showing<C: AddsRuns>(
    submitter: Submitter,
    (change, plan): (&C, &C::Plan),
    wait: bool,
    context: &Context,
    show: impl FnOnce(&[RunView]) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    let mut rng = context.rng();
    let added = match submitter.start(change, plan, (context, &mut rng)).await? {
        Started::Runs(added) => added,
        Started::Asked(approval) => return asked(&approval, context),
    };
    if added.under_way > 0 {
        let count = added.under_way;
        context.out.message(&format!("{count} of these are under way already, and are not started again"));
    }
    submitter.follow(&added, wait, (context, rng), show).await
}

/// What became of a plan that was carried out here.
pub fn told(started: approvals::Started, control: &ControlContext<'_>) -> Started {
    match started {
        approvals::Started::Runs(added) => Started::Runs(added),
        approvals::Started::Asked(approval) => {
            Started::Asked(Box::new(ApprovalView::of(&approval, control.now)))
        }
    }
}

/// Says that a second person must confirm.
fn asked(approval: &ApprovalView, context: &Context) -> anyhow::Result<Exit> {
    context.out.show(approval, || waits(approval).into())?;
    Ok(Exit::Done)
}

/// The runs as a table.
pub fn table(views: &[RunView]) -> Table {
    let mut table = Table::new(["APP", "WHAT", "RUN", "STATE"]);
    for view in views {
        let (name, what) = (view.name.as_str(), view.what.as_str());
        table.row([name.into(), what.into(), view.id.to_string().into(), state_cell(view)]);
    }
    table
}
