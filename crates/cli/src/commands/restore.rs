//! `holdfast restore`: an app, a slot or a new app is brought to what a backup holds.

use holdfast_model::{NewRun, NewTask, Run, RunId, StorageName, Trigger};
use serde::Serialize;

use super::{RunView, restore_plan, state_cell};
use crate::args::{Going, RestoreArgs};
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::runtime::backends::Backends;
use crate::runtime::run_follower;
use holdfast_config::Fleet;
use holdfast_control::ControlContext;
use holdfast_control::restore::{Aim, Databases, Purpose, RestorePlan, RestoreRequest, aim, plan};
use holdfast_control::{Error, ErrorKind};

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    plan: &'a RestorePlan,
    /// `null` when only the plan was asked for.
    run: Option<RunView>,
}

/// Shows the plan, asks, and adds the run.
pub async fn run(args: &RestoreArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let control = context.control(&fleet, &*backends.store).await?;
    let plan = plan(&control, asked(&control, args).await?).await?;
    carry_out(&plan, args.going, (fleet.clone(), backends), context).await
}

async fn asked(control: &ControlContext<'_>, args: &RestoreArgs) -> anyhow::Result<RestoreRequest> {
    let source = control.app(&args.app).await?;
    let other = match &args.to.to {
        Some(name) => Some(control.app(name).await?),
        None => None,
    };
    let aim = aim(&source.id, &args.to.clone().into(), other.as_ref().map(|app| &app.id))?;
    let target = match &aim {
        Aim::Over(id) if *id == source.id => Some(source.clone()),
        Aim::Over(id) if other.is_none() => Some(control.app(&id.to_string()).await?),
        Aim::Over(_) | Aim::New(_) => other,
    };
    let databases =
        if args.ignore_databases { Databases::Ignore } else { Databases::Bring(args.databases.clone()) };
    Ok(RestoreRequest {
        source,
        wanted: args.which.clone().into(),
        aim,
        target,
        plan: args.plan.clone(),
        overwrite: args.overwrite,
        databases,
        ignore_conflicting_host_names: args.ignore_conflicting_host_names,
        storage: args.storage.as_deref().map(StorageName::new),
        purpose: Purpose::Restore,
    })
}

/// Shows a plan, and carries it out once somebody said yes.
pub async fn carry_out(
    plan: &RestorePlan,
    going: Going,
    (fleet, backends): (Fleet, Backends),
    context: &Context,
) -> anyhow::Result<Exit> {
    let now = backends.store.now().await?;
    if !context.out.is_json() {
        context.out.table(restore_plan::table(plan, now))?;
        context.out.text("")?;
    }
    if context.out.is_json() && !going.yes {
        context.out.json(&Document { plan, run: None })?;
        return Ok(Exit::Done);
    }
    confirm::written(&plan.word(), &plan.question(), going.yes, context)?;
    let (mut rng, doing) = (context.rng(), plan.run.clone());
    let (now, by) = (backends.store.now().await?, Some(context.actor()));
    let id = RunId::new(now, &mut rng);
    let new = NewRun::task(
        id,
        &doing.app,
        &doing.policy_snapshot,
        NewTask { task: doing.task, trigger: Trigger::Manual, actor: by },
        now,
    );
    if backends.store.add_runs(&[new]).await? == 0 {
        let what = format!("a {} of {} is under way already", plan.kind, plan.source.short_name());
        let help = format!("`holdfast history {}` shows it", plan.word());
        return Err(Error::new(ErrorKind::Refused, what).help(help).into());
    }
    let show = |runs: &[Run]| show(plan, runs, context);
    run_follower::added(&[id], (fleet, backends), going.wait, (context, rng), show).await
}

fn show(plan: &RestorePlan, runs: &[Run], context: &Context) -> anyhow::Result<()> {
    let run = runs.first().map(RunView::from);
    if context.out.is_json() {
        return Ok(context.out.json(&Document { plan, run })?);
    }
    let mut table = Table::new(["APP", "RUN", "STATE"]);
    if let Some(run) = run {
        table.row([run.name.as_str().into(), run.id.to_string().into(), state_cell(&run)]);
    }
    Ok(context.out.table(table)?)
}
