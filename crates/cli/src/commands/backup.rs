//! `holdfast backup`: backups on demand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::{Arm, Unobserved};
use holdfast_model::{App, AppId, NewRun, Outcome, PolicyName, Run, RunId, RunState, Terms, Trigger};
use holdfast_store::{OneProcess, Store};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::run::stop_on_signal;
use crate::args::BackupArgs;
use crate::backends::Backends;
use crate::clouds::clouds;
use crate::config::Fleet;
use crate::context::Context;
use crate::engine::{Engine, Parts, Role};
use crate::exit::{Exit, Failure};
use crate::find;
use crate::output::{Cell, Table};

/// How often the store is asked whether the runs have ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// One backup as it stands, for programs.
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

/// Adds a run for each app. With `--wait` it follows them to their ends: it carries them out itself where no other
/// process works on the store, and else watches the one that does.
pub async fn run(args: &BackupArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let Backends { store, queue, carries, lock, .. } = Backends::open_beside(context).await?;
    let mut rng = context.rng();
    let apps = find_apps(&args.apps, &fleet, &*store, context).await?;
    let mut ids = Vec::new();
    for app in apps {
        let (app, terms) = terms_of(app, args.policy.as_deref(), &fleet)?;
        let now = store.now().await?;
        let id = RunId::new(now, &mut rng);
        store.add_run(&NewRun::backup(id, &app, &terms, (None, Trigger::Manual), (now, now))).await?;
        ids.push(id);
    }
    if !args.wait {
        show(context, &load_all(&*store, &ids).await?)?;
        if carries {
            context.out.message(
                "the backups begin when `holdfast run` works on this store; --wait carries them out from here",
            );
        }
        return Ok(Exit::Done);
    }
    let stop = CancellationToken::new();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    let (clock, telemetry) = (Arc::clone(&context.clock), &context.telemetry);
    let (watched, queue) = (telemetry.store(Arc::clone(&store)), telemetry.queue(queue));
    let (calls, steps) = (telemetry.calls(), telemetry.steps());
    let parts = Parts { fleet, store: watched, queue, clock, calls, steps, rng };
    let work = if carries { Some(carry(lock, parts, &stop)?) } else { None };
    let ended = follow(&*store, &ids, &stop).await;
    let was_stopped = stop.is_cancelled();
    stop.cancel();
    if let Some(work) = work {
        work.await?;
    }
    stopper.abort();
    let runs = ended?;
    show(context, &runs)?;
    if was_stopped {
        context.out.message("interrupted; the runs are kept, and `holdfast run` carries them on");
        return Ok(Exit::Interrupted);
    }
    let all_good = runs.iter().all(|run| outcome(run) == Some(Outcome::Succeeded));
    Ok(if all_good { Exit::Done } else { Exit::Failed })
}

/// Carries out what is planned until `stop`. The lock is held as long as that takes.
fn carry(
    lock: Option<OneProcess>,
    parts: Parts,
    stop: &CancellationToken,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let (engine, stop) = (Engine::new(parts)?, stop.clone());
    Ok(tokio::spawn(async move {
        engine.run(Role::Carrier, stop).await;
        drop(lock);
    }))
}

/// The apps that the command line names. Azure is asked, because a rule may find an app that no process has seen yet;
/// where it does not answer, those serve that were found before.
async fn find_apps(
    names: &[String],
    fleet: &Fleet,
    store: &dyn Store,
    context: &Context,
) -> anyhow::Result<Vec<App>> {
    let arm = clouds(fleet, &context.clock, &(Arc::new(Unobserved) as _), &mut context.rng())?;
    let mut sites = Vec::new();
    for subscription in fleet.subscriptions() {
        match arm.sites(&subscription).await {
            Ok(found) => sites.extend(found),
            Err(error) => tracing::warn!(%error, "an app that only Azure knows is not found"),
        }
    }
    let mut known: BTreeMap<AppId, App> =
        fleet.apps_with(&sites).into_iter().map(|app| (app.id.clone(), app)).collect();
    for app in store.status().await?.into_iter().filter(|app| !app.removed) {
        let found =
            App { id: app.app.clone(), policy: app.policy, plan: None, databases: Vec::new(), paused: false };
        known.entry(app.app).or_insert(found);
    }
    let ids: Vec<AppId> = known.keys().cloned().collect();
    names.iter().map(|name| Ok(known[&find::app(&ids, name)?].clone())).collect()
}

/// The app under the policy asked for, or its own, and that policy's terms.
fn terms_of(mut app: App, policy: Option<&str>, fleet: &Fleet) -> anyhow::Result<(App, Terms)> {
    if let Some(name) = policy {
        app.policy = Some(PolicyName::new(name));
    }
    let names = fleet.policies.keys().map(PolicyName::as_str).collect::<Vec<_>>().join(", ");
    let short = app.id.short_name();
    let Some(name) = &app.policy else {
        let what = format!("{short} is in no policy, so nothing says where its backup goes");
        return Err(Failure::new(Exit::Usage, what).help(format!("name one with --policy: {names}")).into());
    };
    let Some(found) = fleet.policies.get(name) else {
        let what = format!("there is no policy `{name}` in the fleet file");
        return Err(Failure::new(Exit::Usage, what).help(format!("it has these: {names}")).into());
    };
    let terms = found.terms.clone();
    Ok((app, terms))
}

async fn follow(store: &dyn Store, ids: &[RunId], stop: &CancellationToken) -> anyhow::Result<Vec<Run>> {
    loop {
        let runs = load_all(store, ids).await?;
        if stop.is_cancelled() || runs.iter().all(|run| run.state.is_ended()) {
            return Ok(runs);
        }
        let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
    }
}

async fn load_all(store: &dyn Store, ids: &[RunId]) -> anyhow::Result<Vec<Run>> {
    let mut runs = Vec::new();
    for id in ids {
        runs.extend(store.load(*id).await?.map(|loaded| loaded.run));
    }
    Ok(runs)
}

fn outcome(run: &Run) -> Option<Outcome> {
    match run.state {
        RunState::Ended { outcome, .. } => Some(outcome),
        _ => None,
    }
}

fn show(context: &Context, runs: &[Run]) -> anyhow::Result<()> {
    let lines: Vec<Line> = runs.iter().map(line).collect();
    if context.out.is_json() {
        return Ok(context.out.json(&lines)?);
    }
    let mut table = Table::new(["APP", "RUN", "STATE", "OUTCOME", "CAUSE", "BLOB"]);
    for line in lines {
        let or_dash = |text: Option<&str>| Cell::from(text.unwrap_or("-").to_owned());
        table.row([
            line.app.short_name().into(),
            line.run_id.to_string().into(),
            line.state.into(),
            or_dash(line.outcome),
            or_dash(line.cause),
            or_dash(line.blob.as_deref()),
        ]);
    }
    Ok(context.out.table(table)?)
}

fn line(run: &Run) -> Line {
    let (mut cause, mut backup) = (None, None);
    if let RunState::Ended { cause: why, backup: made, .. } = &run.state {
        (cause, backup) = (*why, made.clone());
    }
    Line {
        app: run.app.clone(),
        run_id: run.id,
        state: run.state.code().as_str(),
        outcome: outcome(run).map(Outcome::as_str),
        cause: cause.map(holdfast_model::Cause::as_str),
        backup_id: backup.as_ref().map(|backup| backup.id.0),
        size_bytes: backup.as_ref().map(|backup| backup.size_bytes),
        blob: backup.map(|backup| backup.blob),
    }
}
