//! `holdfast runs cancel`, `runs acknowledge`, and the pauses of apps and policies: people steer what is planned.

use std::collections::BTreeSet;

use holdfast_client::Server;
use holdfast_control::acknowledgement::{AcknowledgeRequest, acknowledge};
use holdfast_control::cancel::{CancelRequest, CancelledRun, cancel};
use holdfast_control::pause::{PauseRequest, ResumeRequest, pause, resume};
use holdfast_control::selector::{Selected, Selector};
use holdfast_control::{Error, ErrorKind, counted, until};
use holdfast_model::{AppId, PolicyName, RunId, format_timestamp};
use serde::Serialize;
use serde_json::json;

use crate::args::{CancelArgs, PauseArgs, PausePolicyArgs, PauseTerms, ResumeArgs, ResumePolicyArgs};
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::place::Request;
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
    let mut runs = args.runs.runs.clone();
    if runs.is_empty() {
        runs = context.ask(&Selector::from(&args.runs.matching)).await?.unfinished;
    }
    if !runs.is_empty() {
        let question =
            format!("Cancel {}, as far as Azure was not asked for them?", counted(runs.len(), "run"));
        confirm::agreed(&question, args.yes, context)?;
    }
    let done = context.ask(&Cancellations { runs, reason: args.reason.clone() }).await?;
    context.out.show(&done, || {
        if done.is_empty() { "no run of these apps is under way".into() } else { table(&done).into() }
    })?;
    Ok(if done.iter().all(|run| run.cancelled) { Exit::Done } else { Exit::Failed })
}

/// Runs to cancel, each for itself.
struct Cancellations {
    runs: Vec<RunId>,
    reason: String,
}

impl Request for Cancellations {
    type Answer = Vec<CancelResult>;

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        let backends = Backends::open_beside(context).await?;
        let mut done = Vec::new();
        for run in self.runs.iter().copied() {
            let request = CancelRequest { run, reason: self.reason.clone(), actor: context.actor() };
            done.push(outcome(run, cancel(&*backends.store, &request).await));
        }
        backends.store.close().await;
        Ok(done)
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        let mut done = Vec::new();
        for run in self.runs.iter().copied() {
            done.push(match server.cancel(run, &self.reason).await {
                // Without a server or the right to ask it, the other runs would say the same.
                Err(error) if matches!(error.kind(), ErrorKind::Store | ErrorKind::Refused) => {
                    return Err(error);
                }
                cancelled => outcome(run, cancelled),
            });
        }
        Ok(done)
    }
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
    let app = context.ask(&AcknowledgeRequest { run, note: note.to_owned(), actor: context.actor() }).await?;
    context.out.show(&json!({ "run_id": run, "app": app, "acknowledged": true }), || {
        format!("the failure of {} is acknowledged until the next one", app.short_name()).into()
    })?;
    Ok(Exit::Done)
}

impl Request for AcknowledgeRequest {
    type Answer = AppId;

    async fn here(&self, context: &Context) -> anyhow::Result<AppId> {
        let backends = Backends::open_beside(context).await?;
        let app = acknowledge(&*backends.store, self, &mut context.rng()).await?;
        backends.store.close().await;
        Ok(app)
    }

    async fn there(&self, server: &Server) -> Result<AppId, Error> {
        server.acknowledge(self.run, &self.note).await
    }
}

/// Runs `holdfast apps pause`.
pub async fn pause_apps(args: &PauseArgs, context: &Context) -> anyhow::Result<Exit> {
    let asks = !args.apps.has_names_alone();
    pause_selected(&Selector::from(&args.apps), (&args.terms, asks), context).await
}

/// Runs `holdfast policies pause`.
pub async fn pause_policy(args: &PausePolicyArgs, context: &Context) -> anyhow::Result<Exit> {
    let exit = pause_selected(&under(&args.policy), (&args.terms, true), context).await?;
    context.out.message("an app that joins the policy later is not paused");
    Ok(exit)
}

async fn pause_selected(
    selector: &Selector,
    (terms, asks): (&PauseTerms, bool),
    context: &Context,
) -> anyhow::Result<Exit> {
    let Selected { apps, as_of: now, .. } = context.ask(selector).await?;
    let end = terms.end(now);
    let question = format!("Pause {} until {}?", counted(apps.len(), "app"), format_timestamp(end));
    confirm::agreed(&question, terms.yes || !asks, context)?;
    let request =
        PauseRequest { apps: apps.clone(), until: end, reason: terms.reason.clone(), actor: context.actor() };
    context.ask(&request).await?;
    context.out.show(&json!({ "apps": apps, "paused_until": end }), || {
        let apps = counted(apps.len(), "app");
        format!("{apps} paused; the schedule goes on {}. Runs under way go on", until(end, now)).into()
    })?;
    Ok(Exit::Done)
}

/// The apps under a policy.
fn under(policy: &str) -> Selector {
    Selector { policies: [PolicyName::new(policy)].into(), ..Selector::default() }
}

impl Request for PauseRequest {
    type Answer = ();

    async fn here(&self, context: &Context) -> anyhow::Result<()> {
        let backends = Backends::open_beside(context).await?;
        pause(&*backends.store, self, &mut context.rng()).await?;
        backends.store.close().await;
        Ok(())
    }

    async fn there(&self, server: &Server) -> Result<(), Error> {
        server.pause(&self.apps, self.until, &self.reason).await
    }
}

/// Runs `holdfast apps resume`.
pub async fn resume_apps(args: &ResumeArgs, context: &Context) -> anyhow::Result<Exit> {
    let apps = context.ask(&Selector::from(&args.apps)).await?.apps;
    let asks = !args.yes && !args.apps.has_names_alone();
    resume_selected(apps, (&args.reason, asks), context).await
}

/// Runs `holdfast policies resume`.
pub async fn resume_policy(args: &ResumePolicyArgs, context: &Context) -> anyhow::Result<Exit> {
    let paused = context.ask(&under(&args.policy)).await?.paused;
    if paused.is_empty() {
        let what = format!("no app under policy `{}` is paused by a person", args.policy);
        let error = Error::new(ErrorKind::Conflict, what);
        return Err(error.help("`holdfast status` shows which apps are paused").into());
    }
    resume_selected(paused, (&args.reason, !args.yes), context).await
}

async fn resume_selected(
    apps: BTreeSet<AppId>,
    (reason, asks): (&str, bool),
    context: &Context,
) -> anyhow::Result<Exit> {
    let question = format!("End the pause of {}?", counted(apps.len(), "app"));
    confirm::agreed(&question, !asks, context)?;
    let request = ResumeRequest { apps: apps.clone(), reason: reason.to_owned(), actor: context.actor() };
    context.ask(&request).await?;
    context.out.show(&json!({ "apps": apps, "resumed": true }), || {
        let apps = counted(apps.len(), "app");
        format!("{apps} scheduled again; ticks of the pause are not run").into()
    })?;
    Ok(Exit::Done)
}

impl Request for ResumeRequest {
    type Answer = ();

    async fn here(&self, context: &Context) -> anyhow::Result<()> {
        let backends = Backends::open_beside(context).await?;
        resume(&*backends.store, self, &mut context.rng()).await?;
        backends.store.close().await;
        Ok(())
    }

    async fn there(&self, server: &Server) -> Result<(), Error> {
        server.resume(&self.apps, &self.reason).await
    }
}
