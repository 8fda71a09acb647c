//! `holdfast drill`: a backup is tried out by restoring it into a scratch app.

use holdfast_model::{App, AppId, DrillRule, Site};

use super::restore::carry_out;
use crate::args::{DrillArgs, WhichBackup};
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;
use holdfast_config::is_probe;
use holdfast_control::ControlContext;
use holdfast_control::restore::{Aim, Databases, Purpose, RestoreRequest, plan};
use holdfast_control::{Error, ErrorKind};

/// Shows the plan, asks, and adds the run.
pub async fn run(args: &DrillArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let control = context.control(&fleet, &*backends.store).await?;
    let plan = plan(&control, asked(&control, args).await?).await?;
    carry_out(&plan, args.going, (fleet.clone(), backends), context).await
}

async fn asked(control: &ControlContext<'_>, args: &DrillArgs) -> anyhow::Result<RestoreRequest> {
    let source = control.app(&args.app).await?;
    let policy = source.policy.as_ref().and_then(|name| control.fleet.policies.get(name));
    let rule = policy.and_then(|policy| policy.drill.as_ref());
    let scratch = scratch(control, &into(args, rule)?).await?;
    is_scratch(&source.id, &scratch)?;
    let probe = args.probe.clone().or_else(|| rule.and_then(|rule| rule.probe.clone()));
    if let Some(probe) = &probe {
        is_probe(probe)
            .map_err(|why| Error::new(ErrorKind::Invalid, format!("the probe's address: {why}")))?;
    }
    let which = WhichBackup { backup: args.backup, latest: args.latest, at: None, blob: None };
    Ok(RestoreRequest {
        source,
        wanted: which.into(),
        aim: Aim::Over(scratch.id.clone()),
        target: Some(scratch),
        plan: None,
        overwrite: true,
        // The connection strings are production's: a drill that used them would overwrite what it is to protect.
        databases: Databases::Ignore,
        ignore_conflicting_host_names: true,
        storage: None,
        purpose: Purpose::Drill { probe },
    })
}

fn into(args: &DrillArgs, rule: Option<&DrillRule>) -> Result<String, Error> {
    match (&args.into, rule) {
        (Some(text), _) => Ok(text.clone()),
        (None, Some(rule)) => Ok(rule.into.to_string()),
        (None, None) => {
            let what = format!("nothing says which scratch app a drill of {} goes into", args.app);
            Err(Error::new(ErrorKind::Invalid, what)
                .help("name it with --into, or set `drill` in the policy"))
        }
    }
}

/// The scratch app with its policy, should it have one. Azure is asked for this app alone too: a rule takes it in
/// although its subscription could not be listed just now. Slots are taken in by no rule.
async fn scratch(control: &ControlContext<'_>, into: &str) -> anyhow::Result<App> {
    let known = control.app(into).await?;
    if known.id.slot().is_some() {
        return Ok(known);
    }
    let sites: Vec<Site> = control.arm.site(&known.id).await.into_iter().collect();
    let taken_in = control.fleet.apps_with(&sites).into_iter().find(|app| app.id == known.id);
    Ok(taken_in.filter(|app| app.policy.is_some()).unwrap_or(known))
}

/// Everything in the scratch app is replaced: nobody practises on an app that is worth a backup.
fn is_scratch(source: &AppId, scratch: &App) -> Result<(), Error> {
    let name = scratch.id.short_name();
    let what = match &scratch.policy {
        _ if scratch.id == *source => format!("{name} would be restored into itself"),
        Some(policy) => format!("{name} is backed up under the policy {policy}, so it is no scratch app"),
        None => return Ok(()),
    };
    Err(Error::new(ErrorKind::Invalid, what).help("name an app or a slot that is in no policy with --into"))
}
