//! `holdfast native-schedule drift`: Azure's own schedules compared with the policies.

use holdfast_client::Server;
use holdfast_control::Error;
use holdfast_control::native_schedule::{ScheduleDrift, drift};
use holdfast_control::selector::Selector;

use crate::args::AppsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::place::Request;
use crate::runtime::backends::Backends;

/// Runs the command.
pub async fn run(args: &AppsArgs, context: &Context) -> anyhow::Result<Exit> {
    let results = context.ask(&Compared(args)).await?;
    context.out.show(&results, || match results.as_slice() {
        [] => "no policy of these apps has `native_schedule`".into(),
        results => table(results).into(),
    })?;
    Ok(if results.iter().all(ScheduleDrift::is_good) { Exit::Done } else { Exit::Failed })
}

/// Azure's own schedules of apps, compared with the policies.
struct Compared<'a>(&'a AppsArgs);

impl Request for Compared<'_> {
    type Answer = Vec<ScheduleDrift>;

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        let fleet = context.fleet()?;
        let backends = Backends::open_beside(context).await?;
        let control = context.control(&fleet, &backends.store).await?;
        let apps = Selector::from(self.0).selection(&*backends.store).await?;
        let results = drift(&control, &apps, &mut context.rng()).await?;
        backends.store.close().await;
        Ok(results)
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        server.drift(&server.selection(&self.0.into()).await?).await
    }
}

fn table(results: &[ScheduleDrift]) -> Table {
    let mut table = Table::new(["APP", "DRIFT"]);
    for result in results {
        let drift = match (&result.error, result.drift.as_slice()) {
            (Some(error), _) => Cell::toned(format!("could not be checked: {error}"), Tone::Warn),
            (None, []) => Cell::toned("none", Tone::Good),
            (None, drift) => Cell::toned(drift.join("; "), Tone::Bad),
        };
        table.row([result.app.short_name().into(), drift]);
    }
    table
}
