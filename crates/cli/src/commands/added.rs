//! Runs that a command added: shown, and followed when the command line asks for that.

use holdfast_config::Fleet;
use holdfast_control::approvals::{ApprovalView, waits};
use holdfast_control::runs::RunView;
use holdfast_control::{AddedRuns, add_runs};
use holdfast_model::{NewRun, Run};
use holdfast_store::Approval;

use crate::commands::outcome::state_cell;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::runtime::backends::Backends;
use crate::runtime::run_follower;

/// Adds the runs, then does the same as [`follow`].
pub async fn runs(
    runs: &[NewRun],
    (fleet, backends): (Fleet, Backends),
    wait: bool,
    context: &Context,
    rng: fastrand::Rng,
) -> anyhow::Result<Exit> {
    let added = add_runs(&*backends.store, runs).await?;
    follow(&added, (fleet, backends), wait, context, rng).await
}

/// Shows the runs, with `wait` at their ends.
pub async fn follow(
    added: &AddedRuns,
    (fleet, backends): (Fleet, Backends),
    wait: bool,
    context: &Context,
    rng: fastrand::Rng,
) -> anyhow::Result<Exit> {
    if added.under_way > 0 {
        let count = added.under_way;
        context.out.message(&format!("{count} of these are under way already, and are not started again"));
    }
    let show = |runs: &[Run]| {
        let views: Vec<RunView> = runs.iter().map(RunView::from).collect();
        Ok(context.out.show(&views, || table(&views).into())?)
    };
    run_follower::follow(&added.ids, (fleet, backends), wait, (context, rng), show).await
}

/// Says that a second person must confirm.
pub fn asked(approval: &Approval, context: &Context) -> anyhow::Result<Exit> {
    let now = context.clock.now();
    context.out.show(&ApprovalView::of(approval, now), || waits(approval, now).into())?;
    Ok(Exit::Done)
}

fn table(views: &[RunView]) -> Table {
    let mut table = Table::new(["APP", "WHAT", "RUN", "STATE"]);
    for view in views {
        let (name, what) = (view.name.as_str(), view.what.as_str());
        table.row([name.into(), what.into(), view.id.to_string().into(), state_cell(view)]);
    }
    table
}
