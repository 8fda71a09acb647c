//! `holdfast native-schedule drift`: Azure's own schedules against the policies.

use holdfast_model::{AppId, NativeSchedule, NewRun, OperatorAction, RunId, Timestamp, format_timestamp};
use holdfast_storage::Container;
use serde::Serialize;

use super::change::schedule_of;
use super::{Found, apps, found};
use crate::args::AppsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::runtime::backends::Backends;
use holdfast_control::app_resolver;

/// One app, for programs.
#[derive(Debug, Serialize)]
struct Line {
    app: AppId,
    found: Option<NativeSchedule>,
    drift: Vec<String>,
    /// Why Azure did not tell.
    error: Option<String>,
}

/// Runs the command. Apps whose policies ask for no schedule are left out: whatever Azure runs for them is no drift.
pub async fn run(args: &AppsArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let apps = apps(args, &fleet, store, context).await?;
    let arm = context.azure(&fleet)?;
    let (now, mut rng) = (store.now().await?, context.rng());
    let (mut lines, mut notes) = (Vec::new(), Vec::new());
    for app in apps {
        let Some(wanted) = schedule_of(&app, &fleet) else { continue };
        let found = match found(&*arm, &app.id).await {
            Ok(found) => found,
            Err(error) => {
                let error = Some(error.to_string());
                lines.push(Line { app: app.id, found: None, drift: Vec::new(), error });
                continue;
            }
        };
        let policy_snapshot = app_resolver::policy_snapshot(&app, &fleet)?;
        let drift = drift(wanted, found.as_ref(), &fleet.storages[&policy_snapshot.storage].container, now);
        let found = found.map(|found| found.schedule);
        let note = OperatorAction::Drift { found: found.clone(), drift: drift.clone() };
        let id = RunId::new(now, &mut rng);
        notes.push(NewRun::operator_action(id, &app, &policy_snapshot, note, context.actor(), now));
        lines.push(Line { app: app.id, found, drift, error: None });
    }
    store.add_runs(&notes).await?;
    store.close().await;
    let is_good = lines.iter().all(|line| line.drift.is_empty() && line.error.is_none());
    show(&lines, context)?;
    Ok(if is_good { Exit::Done } else { Exit::Failed })
}

/// What differs, in words.
fn drift(wanted: &NativeSchedule, found: Option<&Found>, ours: &Container, now: Timestamp) -> Vec<String> {
    let Some(Found { schedule, sas, container }) = found else {
        return vec!["azure has no schedule".to_owned()];
    };
    let mut drift = wanted.drift(schedule);
    if let Some(theirs) = container.as_ref().filter(|theirs| *theirs != ours) {
        drift.push(format!("it writes into {theirs} and should into {ours}"));
    }
    if let Some(expiry) = sas.as_ref().and_then(|sas| sas.window.expiry).filter(|expiry| *expiry <= now) {
        drift.push(format!("the SAS that Azure keeps with it lapsed at {}", format_timestamp(expiry)));
    }
    drift
}

fn show(lines: &[Line], context: &Context) -> anyhow::Result<()> {
    if context.out.is_json() {
        return Ok(context.out.json(&lines)?);
    }
    if lines.is_empty() {
        return Ok(context.out.text("no policy of these apps has `native_schedule`")?);
    }
    let mut table = Table::new(["APP", "DRIFT"]);
    for line in lines {
        let told = match (&line.error, line.drift.as_slice()) {
            (Some(error), _) => Cell::toned(format!("could not be checked: {error}"), Tone::Warn),
            (None, []) => Cell::toned("none", Tone::Good),
            (None, drift) => Cell::toned(drift.join("; "), Tone::Bad),
        };
        table.row([line.app.short_name().into(), told]);
    }
    Ok(context.out.table(table)?)
}
