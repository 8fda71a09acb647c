//! `holdfast schedule preview`: when apps are due next.

use std::time::Duration;

use holdfast_client::Server;
use holdfast_control::Error;
use holdfast_control::schedule_preview::{PreviewRange, SchedulePreview, preview_app, preview_policies};
use holdfast_model::{AppId, PolicyName, Timestamp, format_duration};
use holdfast_store::{AppStatus, Mode};
use serde::Serialize;

use crate::args::PreviewArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, until};
use crate::place::Request;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    from: Timestamp,
    schedules: Vec<SchedulePreview>,
}

/// Runs the command.
pub async fn run(args: &PreviewArgs, context: &Context) -> anyhow::Result<Exit> {
    let from = args.from.unwrap_or_else(|| context.clock.now());
    let schedules = context.ask(&(args, PreviewRange { from, count: args.count })).await?;
    if context.out.is_document() {
        context.out.document(&Document { from, schedules })?;
    } else if schedules.is_empty() {
        context.out.text("the fleet has no policies")?;
    } else {
        context.out.table(table(&schedules, from))?;
    }
    Ok(Exit::Done)
}

impl Request for (&PreviewArgs, PreviewRange) {
    type Answer = Vec<SchedulePreview>;

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        let ((args, range), fleet) = (*self, context.fleet_for_reading().await?);
        Ok(match &args.app {
            Some(name) => vec![preview_app(&fleet, enrolled(context).await?, name, range)?],
            None => preview_policies(&fleet, args.policy.as_deref().map(PolicyName::new).as_ref(), range)?,
        })
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        let (args, range) = *self;
        server.schedules(args.app.as_deref(), args.policy.as_deref(), range).await
    }
}

/// The apps of the store; none before the first run, when there is no store.
pub async fn enrolled(context: &Context) -> anyhow::Result<Vec<AppStatus>> {
    let Ok(store) = context.store(Mode::Read).await else { return Ok(Vec::new()) };
    let apps = store.status().await?;
    store.close().await;
    Ok(apps)
}

fn table(schedules: &[SchedulePreview], from: Timestamp) -> Table {
    let mut table = Table::new(["POLICY", "APP", "LOCAL", "ZONE", "UTC", "DUE", "NOTE"]);
    for preview in schedules {
        let app = preview.app.as_ref().map_or_else(|| "-".to_owned(), AppId::short_name);
        for tick in &preview.ticks {
            let mut notes: Vec<String> = spread_note(preview).into_iter().collect();
            if tick.clocks_changed {
                notes.push("the clocks have changed".to_owned());
            }
            table.row([
                preview.policy.as_str().into(),
                app.as_str().into(),
                tick.local.as_str().into(),
                preview.timezone.as_str().into(),
                tick.at.format("%Y-%m-%d %H:%M:%S").to_string().into(),
                until(tick.at, from).into(),
                notes.join("; ").into(),
            ]);
        }
    }
    table
}

fn spread_note(preview: &SchedulePreview) -> Option<String> {
    let spread = format_duration(Duration::from_secs(preview.spread_seconds));
    match (preview.spread_seconds, &preview.app) {
        (0, _) => None,
        (_, Some(_)) => Some(format!("{spread} into the spread")),
        (_, None) => Some(format!("apps spread over {spread}")),
    }
}
