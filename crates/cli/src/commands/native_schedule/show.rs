//! `holdfast native-schedule show`: Azure's own schedules.

use holdfast_client::Server;
use holdfast_control::Error;
use holdfast_control::native_schedule::{ShownSchedule, show};
use holdfast_control::selector::Selector;
use holdfast_model::{SasFacts, Timestamp, format_timestamp};

use super::text::text;
use crate::args::AppsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::place::Request;

/// Runs the command.
pub async fn run(args: &AppsArgs, context: &Context) -> anyhow::Result<Exit> {
    let shown = context.ask(&Shown(args)).await?;
    context.out.show(&shown, || table(&shown, context.clock.now()).into())?;
    let has_failed = shown.iter().any(|app| app.error.is_some());
    Ok(if has_failed { Exit::Azure } else { Exit::Done })
}

/// Azure's own schedules of apps.
struct Shown<'a>(&'a AppsArgs);

impl Request for Shown<'_> {
    type Answer = Vec<ShownSchedule>;

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        let fleet = context.fleet()?;
        let store = context.store_for_calls().await?;
        let control = context.control(&fleet, &store).await?;
        let shown = show(&control, &Selector::from(self.0).selection(&*store).await?).await?;
        store.close().await;
        Ok(shown)
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        server.native_schedules(&server.selection(&self.0.into()).await?).await
    }
}

fn table(shown: &[ShownSchedule], now: Timestamp) -> Table {
    let mut table = Table::new(["APP", "AZURE'S OWN SCHEDULE", "ITS SAS"]);
    for ShownSchedule { app, schedule, sas, error } in shown {
        let schedule = match (schedule, error) {
            (_, Some(error)) => Cell::toned(error, Tone::Bad),
            (Some(schedule), None) => text(schedule).into(),
            (None, None) => "none".into(),
        };
        table.row([app.short_name().into(), schedule, sas_cell(sas.as_ref(), now)]);
    }
    table
}

/// When the SAS that Azure keeps with a schedule expires.
fn sas_cell(sas: Option<&SasFacts>, now: Timestamp) -> Cell {
    let Some(sas) = sas else { return "".into() };
    let Some(expiry) = sas.window.expiry else { return "expires as its policy says".into() };
    let (word, tone) = if expiry <= now { ("expired", Tone::Bad) } else { ("expires", Tone::Good) };
    Cell::toned(format!("{word} {}", format_timestamp(expiry)), tone)
}
