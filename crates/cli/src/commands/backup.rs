//! `holdfast backup`: backs up apps now.

use holdfast_control::AppSelection;
use holdfast_control::backup::{BackupRequest, start};
use holdfast_control::runs::RunView;
use holdfast_control::selector::Selector;
use holdfast_control::views::actions::Selection;
use holdfast_control::views::read_fleet;
use holdfast_model::{AppId, Cause, Outcome, PolicyName, Run, RunId};
use serde::Serialize;

use crate::args::BackupArgs;
use crate::commands::bulk::{self, BulkBackup};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table};
use crate::runtime::backends::Backends;
use crate::runtime::run_follower;

/// One backup, as a document.
#[derive(Debug, Serialize)]
struct Line {
    app: AppId,
    run_id: RunId,
    state: &'static str,
    outcome: Option<&'static str>,
    cause: Option<&'static str>,
    backup_id: Option<i64>,
    blob: Option<String>,
    size_bytes: Option<i64>,
}

/// Runs the command.
pub async fn run(args: &BackupArgs, context: &Context) -> anyhow::Result<Exit> {
    let (fleet, backends) = Backends::open_with_fleet(context).await?;
    let selector = Selector::from(&args.apps);
    if !selector.has_names_alone() {
        let apps = selector.apps(&read_fleet(&*backends.store, None).await?)?;
        let selection = Selection::Apps(apps.into_iter().collect());
        let bulk = BulkBackup { selection, left_out: Vec::new(), verb: "Back up" };
        return bulk::start(bulk, (fleet, backends), args.options, context).await;
    }
    let control = context.control(&fleet, &backends.store).await?;
    let apps = AppSelection::Named(selector.names);
    let policy = args.with_policy.as_deref().map(PolicyName::new);
    let mut rng = context.rng();
    let added = start(&control, &BackupRequest { apps, policy }, &mut rng).await?;
    let show = |runs: &[Run]| {
        let lines: Vec<Line> = runs.iter().map(line).collect();
        Ok(context.out.show(&lines, || table(&lines).into())?)
    };
    run_follower::follow(&added.ids, (fleet.clone(), backends), args.options.wait, (context, rng), show).await
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new(["APP", "RUN", "STATE", "OUTCOME", "CAUSE", "BLOB"]);
    for line in lines {
        table.row([
            line.app.short_name().into(),
            line.run_id.to_string().into(),
            line.state.into(),
            Cell::or_dash(line.outcome),
            Cell::or_dash(line.cause),
            Cell::or_dash(line.blob.as_deref()),
        ]);
    }
    table
}

fn line(run: &Run) -> Line {
    let RunView { id, app, state, outcome, cause, backup, .. } = RunView::from(run);
    let backup = backup.filter(|_| outcome.is_some());
    Line {
        app,
        run_id: id,
        state: state.as_str(),
        outcome: outcome.map(Outcome::as_str),
        cause: cause.map(Cause::as_str),
        backup_id: backup.as_ref().map(|backup| backup.id.0),
        size_bytes: backup.as_ref().map(|backup| backup.size_bytes),
        blob: backup.map(|backup| backup.blob),
    }
}
