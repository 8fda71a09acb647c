//! `holdfast simulate`: a simulated Azure to try Holdfast on.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::SimulateArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::simulation::Simulation;
use crate::runtime::stop_signal::stop_on_signal;

/// Simulated backups take seconds, so what waits for them is as quick.
const POLICIES: &str = r#"[policy.gold]
schedule = "0 */2 * * *"
spread   = "30m"
storage  = "simulated"
deadline = "2m"
poll     = { first = "500ms", max = "5s" }
recovery_point_objective = "3h"
retry.timed_out = { attempts = 4, first = "2s", max = "20s" }
retry.skipped   = { attempts = 5, first = "5s", max = "30s" }

[policy.silver]
schedule = "0 2 * * *"
timezone = "Europe/Paris"
spread   = "2h"
storage  = "simulated"
deadline = "2m"
poll     = { first = "500ms", max = "5s" }
recovery_point_objective = "26h"

[engine]
settle = "5s"
"#;

/// Runs the command until somebody stops it.
pub async fn run(args: &SimulateArgs, context: &Context) -> anyhow::Result<Exit> {
    let simulation = Simulation::new(args.apps, args.seed, args.hostile);
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("failed to listen on {}", args.listen))?;
    let stop = CancellationToken::new();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    let (server, _) = simulation.serve(listener, Arc::clone(&context.clock), stop.cancelled_owned())?;
    let fleet = simulation.write_files(&args.dir, &server, POLICIES)?;
    if context.out.is_json() {
        context.out.json(&json!({ "endpoint": server.url(), "fleet": fleet, "apps": args.apps }))?;
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
