//! `holdfast backup`: backs up apps now.

use holdfast_client::{BackupsOf, Server, Started};
use holdfast_control::backup::{BackupRequest, start};
use holdfast_control::runs::RunView;
use holdfast_control::selector::Selector;
use holdfast_control::{AppSelection, ControlContext, Error};
use holdfast_model::{AppId, Cause, Outcome, PolicyName, RunId};
use serde::Serialize;

use crate::args::BackupArgs;
use crate::commands::{added, bulk};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table};
use crate::submitter::{StartsRuns, Unplanned};

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
    let selector = Selector::from(&args.apps);
    if !selector.has_names_alone() {
        let of = BackupsOf::Apps(context.ask(&selector).await?.apps);
        return bulk::start((of, "Back up"), context.submitter().await?, args.options, context).await;
    }
    let named = Named { apps: selector.names, policy: args.with_policy.as_deref().map(PolicyName::new) };
    let show = |views: &[RunView]| {
        let lines: Vec<Line> = views.iter().map(line).collect();
        Ok(context.out.show(&lines, || table(&lines).into())?)
    };
    let change = (&Unplanned(&named), &());
    added::start_showing(context.submitter().await?, change, args.options.wait, context, show).await
}

/// Apps that are all backed up, or none of them.
struct Named {
    apps: Vec<String>,
    policy: Option<PolicyName>,
}

impl StartsRuns for Named {
    async fn start_here(
        &self,
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started> {
        let (apps, policy) = (AppSelection::Named(self.apps.clone()), self.policy.clone());
        Ok(Started::Runs(start(control, &BackupRequest { apps, policy }, rng).await?))
    }

    async fn start_there(&self, server: &Server) -> Result<Started, Error> {
        server.back_up_named(&self.apps, self.policy.as_ref()).await
    }
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

fn line(view: &RunView) -> Line {
    let RunView { id, app, state, outcome, cause, backup, .. } = view.clone();
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
