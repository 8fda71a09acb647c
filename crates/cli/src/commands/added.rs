//! Runs that a command adds beside backups: added all at once, shown, and followed where that was asked for.

use holdfast_model::{NewRun, Run, RunId, RunKind};

use super::{RunView, state_cell};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::runtime::backends::Backends;
use crate::runtime::run_follower;
use holdfast_config::Fleet;

/// Adds the runs, and notes beside them. With `wait` it follows the runs to their ends.
pub async fn runs(
    runs: &[NewRun],
    (fleet, backends): (Fleet, Backends),
    wait: bool,
    context: &Context,
    rng: fastrand::Rng,
) -> anyhow::Result<Exit> {
    let added = backends.store.add_runs(runs).await?;
    let left_out = u64::try_from(runs.len())?.saturating_sub(added);
    let works = runs.iter().filter(|new| new.run.task.kind() != RunKind::OperatorAction);
    let ids: Vec<RunId> = works.map(|new| new.run.id).collect();
    if left_out > 0 {
        context.out.message(&format!("{left_out} of these are under way already, and are not begun again"));
    }
    let show = |runs: &[Run]| show(runs, context);
    run_follower::added(&ids, (fleet, backends), wait, (context, rng), show).await
}

fn show(runs: &[Run], context: &Context) -> anyhow::Result<()> {
    let views: Vec<RunView> = runs.iter().map(RunView::from).collect();
    if context.out.is_json() {
        return Ok(context.out.json(&views)?);
    }
    let mut table = Table::new(["APP", "WHAT", "RUN", "STATE"]);
    for view in &views {
        let (name, what) = (view.name.as_str(), view.what.as_str());
        table.row([name.into(), what.into(), view.id.to_string().into(), state_cell(view)]);
    }
    Ok(context.out.table(table)?)
}
