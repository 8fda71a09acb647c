//! `holdfast doctor --egress`: the hosts and ports that this fleet talks to.

use holdfast_config::Secrets;
use holdfast_control::egress::{Destination, destinations};
use serde::Serialize;

use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    destinations: Vec<Destination>,
}

/// Runs the command.
pub fn run(context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet_with(Secrets::Leave)?;
    let logins = [&context.global.database_credential, &context.global.amqp_credential];
    let mut destinations =
        destinations(&fleet, logins.into_iter().flatten(), |name| std::env::var(name).ok());
    destinations.extend(context.servers()?);
    let document = Document { destinations };
    context.out.show(&document, || table(&document.destinations).into())?;
    Ok(Exit::Done)
}

fn table(destinations: &[Destination]) -> Table {
    let mut table = Table::new(["HOST", "PORT", "FOR", "RECEIVES", "VIA"]);
    for found in destinations {
        let via = if found.through_proxy { "proxy" } else { "direct" };
        table.row([
            found.host.as_str().into(),
            found.port.to_string().into(),
            found.purpose.as_str().into(),
            found.receives.as_str().into(),
            via.into(),
        ]);
    }
    table
}
