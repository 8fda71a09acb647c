//! `holdfast native-schedule show`: what Azure runs by itself.

use holdfast_model::{AppId, FrequencyUnit, NativeSchedule, SasFacts, Timestamp, format_timestamp};
use holdfast_store::Mode;
use serde::Serialize;

use super::{Found, apps, found};
use crate::args::AppsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};

/// One app, for programs.
#[derive(Debug, Serialize)]
struct Line {
    app: AppId,
    schedule: Option<NativeSchedule>,
    /// The SAS that Azure keeps with it, where it tells.
    sas: Option<SasFacts>,
    /// Why Azure did not tell.
    error: Option<String>,
}

/// Runs the command.
pub async fn run(args: &AppsArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let store = context.store(Mode::Read).await?;
    let apps = apps(args, &fleet, &*store, context).await?;
    store.close().await;
    let (arm, now) = (context.azure(&fleet)?, context.clock.now());
    let mut lines = Vec::new();
    for app in apps {
        let (schedule, sas, error) = match found(&*arm, &app.id).await {
            Ok(Some(Found { schedule, sas, .. })) => (Some(schedule), sas, None),
            Ok(None) => (None, None, None),
            Err(error) => (None, None, Some(error.to_string())),
        };
        lines.push(Line { app: app.id, schedule, sas, error });
    }
    let failed = lines.iter().any(|line| line.error.is_some());
    if context.out.is_json() {
        context.out.json(&lines)?;
    } else {
        let mut table = Table::new(["APP", "AZURE'S OWN SCHEDULE", "ITS SAS"]);
        for line in lines {
            let told = match (line.schedule, line.error) {
                (_, Some(error)) => Cell::toned(error, Tone::Bad),
                (Some(schedule), None) => words(&schedule).into(),
                (None, None) => "none".into(),
            };
            table.row([line.app.short_name().into(), told, lapses(line.sas.as_ref(), now)]);
        }
        context.out.table(table)?;
    }
    Ok(if failed { Exit::Azure } else { Exit::Done })
}

/// When the SAS lapses that Azure keeps with a schedule, in a cell.
fn lapses(sas: Option<&SasFacts>, now: Timestamp) -> Cell {
    let Some(sas) = sas else { return "".into() };
    let Some(expiry) = sas.window.expiry else { return "lapses as its policy says".into() };
    let (word, tone) = if expiry <= now { ("lapsed", Tone::Bad) } else { ("lapses", Tone::Good) };
    Cell::toned(format!("{word} {}", format_timestamp(expiry)), tone)
}

/// A schedule in words.
pub fn words(schedule: &NativeSchedule) -> String {
    let NativeSchedule { enabled, every, unit, retention_days, keep_at_least_one, start } = schedule;
    let unit = if *unit == FrequencyUnit::Day { "days" } else { "hours" };
    let kept = match retention_days {
        0 => "kept for ever".to_owned(),
        days => format!("kept {days} days"),
    };
    let least = if *keep_at_least_one { ", the last one always" } else { "" };
    let start = start.map_or_else(String::new, |start| format!(", from {}", format_timestamp(start)));
    let enabled = if *enabled { "" } else { ", not enabled" };
    format!("every {every} {unit}, {kept}{least}{start}{enabled}")
}
