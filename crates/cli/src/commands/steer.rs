//! `holdfast runs cancel`, `runs acknowledge`, `apps pause` and `apps resume`: people steer what is planned.

use std::collections::BTreeSet;

use holdfast_control::acknowledgement::{AcknowledgeRequest, acknowledge};
use holdfast_control::cancel::{CancelRequest, CancelledRun, cancel, unfinished};
use holdfast_control::pause::{PauseRequest, ResumeRequest, pause, resume};
use holdfast_control::selector::Selector;
use holdfast_control::views::read_fleet;
use holdfast_control::{Error, counted, until};
use holdfast_model::{AppId, RunId, format_timestamp};
use holdfast_store::Store;
use serde::Serialize;
use serde_json::json;

use crate::args::{AppsArgs, CancelArgs, PauseArgs, ResumeArgs};
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::runtime::backends::Backends;

/// What came of the cancellation of one run.
#[derive(Debug, Serialize)]
struct CancelResult {
    run_id: RunId,
    app: Option<AppId>,
    cancelled: bool,
    detail: String,
}

/// Runs `holdfast runs cancel`.
pub async fn cancel_runs(args: &CancelArgs, context: &Context) -> anyhow::Result<Exit> {
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let mut runs = args.runs.runs.clone();
    if runs.is_empty() {
        let apps = Selector::from(&args.runs.matching).apps(&read_fleet(store, None).await?)?;
        runs = unfinished(store, &apps.into_iter().collect()).await?;
    }
    if !runs.is_empty() {
        let question =
            format!("Cancel {}, as far as Azure was not asked for them?", counted(runs.len(), "run"));
        confirm::agreed(&question, args.yes, context)?;
    }
    let mut done = Vec::new();
    for run in runs {
        let request = CancelRequest { run, reason: args.reason.clone(), actor: context.actor() };
        done.push(outcome(run, cancel(store, &request).await));
    }
    backends.store.close().await;
    context.out.show(&done, || {
        if done.is_empty() { "no run of these apps is under way".into() } else { table(&done).into() }
    })?;
    Ok(if done.iter().all(|run| run.cancelled) { Exit::Done } else { Exit::Failed })
}

fn outcome(run_id: RunId, result: Result<CancelledRun, Error>) -> CancelResult {
    match result {
        Ok(CancelledRun { app, may_leave_backup }) => {
            let detail = if may_leave_backup { "an earlier attempt may have left a backup" } else { "" };
            CancelResult { run_id, app: Some(app), cancelled: true, detail: detail.to_owned() }
        }
        Err(error) => CancelResult { run_id, app: None, cancelled: false, detail: error.to_string() },
    }
}

fn table(done: &[CancelResult]) -> Table {
    let mut table = Table::new(["APP", "RUN", "RESULT", "DETAIL"]);
    for run in done {
        let result = if run.cancelled { "cancelled".into() } else { Cell::toned("refused", Tone::Warn) };
        let app = Cell::or_dash(run.app.as_ref().map(AppId::short_name));
        table.row([app, run.run_id.to_string().into(), result, run.detail.as_str().into()]);
    }
    table
}

/// Runs `holdfast runs acknowledge`.
pub async fn acknowledge_run(run: RunId, note: &str, context: &Context) -> anyhow::Result<Exit> {
    let backends = Backends::open_beside(context).await?;
    let request = AcknowledgeRequest { run, note: note.to_owned(), actor: context.actor() };
    let app = acknowledge(&*backends.store, &request, &mut context.rng()).await?;
    backends.store.close().await;
    context.out.show(&json!({ "run_id": run, "app": app, "acknowledged": true }), || {
        format!("the failure of {} is acknowledged until the next one", app.short_name()).into()
    })?;
    Ok(Exit::Done)
}

/// Runs `holdfast apps pause`.
pub async fn pause_apps(args: &PauseArgs, context: &Context) -> anyhow::Result<Exit> {
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let (apps, now) = (selected(&args.apps, store).await?, store.now().await?);
    let end = args.end(now);
    let question = format!("Pause {} until {}?", counted(apps.len(), "app"), format_timestamp(end));
    confirm::agreed(&question, args.yes || args.apps.has_names_alone(), context)?;
    let request =
        PauseRequest { apps: apps.clone(), until: end, reason: args.reason.clone(), actor: context.actor() };
    pause(store, &request, &mut context.rng()).await?;
    backends.store.close().await;
    context.out.show(&json!({ "apps": apps, "paused_until": end }), || {
        let apps = counted(apps.len(), "app");
        format!("{apps} paused; the schedule goes on {}. Runs under way go on", until(end, now)).into()
    })?;
    Ok(Exit::Done)
}

/// Runs `holdfast apps resume`.
pub async fn resume_apps(args: &ResumeArgs, context: &Context) -> anyhow::Result<Exit> {
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let apps = selected(&args.apps, store).await?;
    let question = format!("End the pause of {}?", counted(apps.len(), "app"));
    confirm::agreed(&question, args.yes || args.apps.has_names_alone(), context)?;
    let request = ResumeRequest { apps: apps.clone(), reason: args.reason.clone(), actor: context.actor() };
    resume(store, &request, &mut context.rng()).await?;
    backends.store.close().await;
    context.out.show(&json!({ "apps": apps, "resumed": true }), || {
        let apps = counted(apps.len(), "app");
        format!("{apps} scheduled again; ticks of the pause are not run").into()
    })?;
    Ok(Exit::Done)
}

async fn selected(args: &AppsArgs, store: &dyn Store) -> anyhow::Result<BTreeSet<AppId>> {
    Ok(Selector::from(args).apps(&read_fleet(store, None).await?)?.into_iter().collect())
}
