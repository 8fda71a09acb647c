//! `holdfast plan`: what the coming hours will bring.

use std::time::Duration;

use holdfast_client::Server;
use holdfast_config::Secrets;
use holdfast_control::Error;
use holdfast_control::forecast::{FleetForecast, ForecastRequest, PolicyWindow, WaitsFor, chart, forecast};
use holdfast_model::{Timestamp, format_duration};
use holdfast_store::Mode;

use crate::args::PlanArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table};
use crate::place::Request;

/// Runs the command.
pub async fn run(args: &PlanArgs, context: &Context) -> anyhow::Result<Exit> {
    let forecast = context.ask(args).await?;
    if context.out.is_document() {
        context.out.document(&forecast)?;
    } else if forecast.policies.is_empty() {
        context.out.text("no backup is due in this time")?;
    } else {
        context.out.table(table(&forecast))?;
        context.out.text(&chart(&forecast).join("\n"))?;
        context.out.text(&forecast.notes().join("\n"))?;
    }
    Ok(Exit::Done)
}

impl Request for PlanArgs {
    type Answer = FleetForecast;

    async fn here(&self, context: &Context) -> anyhow::Result<FleetForecast> {
        let store = context.store(Mode::Read).await?;
        let fleet = context.in_force(&*store, Secrets::Leave).await?.fleet;
        let from = match self.from {
            Some(from) => from,
            None => store.now().await?,
        };
        let until = from + Duration::from_hours(self.hours.into());
        let apps = self.apps.and_then(|apps| usize::try_from(apps).ok());
        let forecast = forecast(&fleet, store.as_ref(), ForecastRequest { from, until, apps }).await?;
        store.close().await;
        Ok(forecast)
    }

    async fn there(&self, server: &Server) -> Result<FleetForecast, Error> {
        server.forecast(self.hours, self.from, self.apps).await
    }
}

fn table(forecast: &FleetForecast) -> Table {
    let header = [
        "POLICY",
        "APPS",
        "BACKUPS",
        "FIRST DUE",
        "LAST BEGINS",
        "LAST ENDS",
        "LONGEST WAIT",
        "WAITS FOR",
        "OVERLAPPING",
    ];
    let mut table = Table::new(header);
    for window in &forecast.policies {
        let PolicyWindow { policy, apps, backups, overlapping, longest_wait_s, .. } = window;
        table.row([
            policy.as_str().into(),
            apps.to_string().into(),
            backups.to_string().into(),
            time(window.first_due).into(),
            time(window.last_begins).into(),
            time(window.last_ends).into(),
            format_duration(Duration::from_secs(*longest_wait_s)).into(),
            Cell::or_dash(window.waits_for.map(WaitsFor::as_str)),
            overlapping.to_string().into(),
        ]);
    }
    table
}

fn time(at: Timestamp) -> String {
    at.format("%m-%d %H:%M:%S").to_string()
}
