//! `holdfast backup`: backups on demand.

use std::collections::BTreeMap;

use holdfast_model::{App, AppId, NewRun, NewTask, Outcome, PolicyName, Run, RunId, RunState, Task, Trigger};
use serde::Serialize;

use crate::args::BackupArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table};
use crate::runtime::backends::Backends;
use crate::runtime::run_follower;
use holdfast_control::app_resolver;

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

/// Adds a run for each app, or none where one of them cannot be backed up.
pub async fn run(args: &BackupArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &backends.store;
    let apps = context.apps(&args.apps, &fleet, &**store).await?;
    // An app that is named twice is backed up once.
    let apps: BTreeMap<AppId, App> = apps.into_iter().map(|app| (app.id.clone(), app)).collect();
    let (now, mut rng) = (store.now().await?, context.rng());
    let mut runs = Vec::new();
    for mut app in apps.into_values() {
        if let Some(name) = &args.policy {
            app.policy = Some(PolicyName::new(name));
        }
        let policy_snapshot = app_resolver::policy_snapshot(&app, &fleet)?;
        let task = Task::Backup { databases: app.databases.clone() };
        let asked = NewTask { task, trigger: Trigger::Manual, actor: Some(context.actor()) };
        runs.push(NewRun::task(RunId::new(now, &mut rng), &app, &policy_snapshot, asked, now));
    }
    store.add_runs(&runs).await?;
    let ids: Vec<RunId> = runs.iter().map(|new| new.run.id).collect();
    let show = |runs: &[Run]| show(context, runs);
    run_follower::added(&ids, (fleet, backends), args.wait, (context, rng), show).await
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
    let (cause, backup) = match &run.state {
        RunState::Ended { cause, backup, .. } => (*cause, backup.clone()),
        RunState::Waiting { cause, .. } => (Some(*cause), None),
        _ => (None, None),
    };
    Line {
        app: run.app.clone(),
        run_id: run.id,
        state: run.state.code().as_str(),
        outcome: run_follower::outcome(run).map(Outcome::as_str),
        cause: cause.map(holdfast_model::Cause::as_str),
        backup_id: backup.as_ref().map(|backup| backup.id.0),
        size_bytes: backup.as_ref().map(|backup| backup.size_bytes),
        blob: backup.map(|backup| backup.blob),
    }
}
