//! `holdfast simulate`: serves a simulated Azure for trying out Holdfast.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::SimulateArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::signals::stop_on_signal;
use holdfast_runtime::simulation::{FleetShape, Simulation};

/// Policies whose waits are seconds, because simulated backups take seconds.
const POLICIES: &str = include_str!("simulate_policies.toml");

/// Runs the command until Ctrl-C.
pub async fn run(args: &SimulateArgs, context: &Context) -> anyhow::Result<Exit> {
    let shape = FleetShape { apps: args.apps, subscriptions: args.subscriptions, seed: args.seed };
    let simulation = Simulation::new(shape, args.hostile);
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("failed to listen on {}", args.listen))?;
    let stop = CancellationToken::new();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    let (server, _) = simulation.serve(listener, Arc::clone(&context.clock), stop.cancelled_owned())?;
    let fleet = simulation.write_files(&args.dir, &server, POLICIES)?;
    if context.out.is_document() {
        context.out.document(&json!({ "endpoint": server.url(), "fleet": fleet, "apps": args.apps }))?;
    } else {
        context.out.text(&format!(
            "simulated Azure with {} apps on {}\nfleet file: {}\nCtrl-C stops it",
            args.apps,
            server.url(),
            fleet.display()
        ))?;
    }
    server.stopped().await?;
    stopper.abort();
    Ok(Exit::Done)
}
