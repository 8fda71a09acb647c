//! `holdfast demo`: one night of a generated fleet on a simulated Azure.

mod folder;
mod summary;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use holdfast_config::{Fleet, Invalid, Secrets, check};
use holdfast_console::{ListenerLimits, Server, demo_listener};
use holdfast_control::status::status;
use holdfast_control::{Error, ErrorKind, counted};
use holdfast_model::{Clock, RunKind, StateCode, SystemClock, Timestamp};
use holdfast_queue::MemoryQueue;
use holdfast_simulator::{CallCounter, OffsetClock};
use holdfast_store::{Mode, OneProcess, RunFilter, SqliteStore, Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::DemoArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::signals::stop_on_signal;
use crate::runtime::site::site_parts;
use holdfast_runtime::console::{Served, serve};
use holdfast_runtime::simulation::{FleetShape, Simulation};
use holdfast_runtime::{Engine, EngineParts, Role};
use summary::Summary;

/// Policies whose waits are seconds, so that the night takes one minute.
const POLICIES: &str = include_str!("demo/policies.toml");

/// How often the progress is updated.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The demonstration fails when it takes longer than this.
const TIMEOUT: Duration = Duration::from_mins(10);

/// Runs the command.
pub async fn run(args: &DemoArgs, context: &Context) -> anyhow::Result<Exit> {
    let machine = SystemClock::default();
    let dir = folder::prepare(args.dir.as_deref())?;
    let night = Arc::new(OffsetClock::showing(three_seconds_before_two(machine.now())));
    let clock: Arc<dyn Clock> = Arc::clone(&night) as _;
    let shape = FleetShape { apps: args.apps, subscriptions: args.subscriptions, seed: args.seed };
    let simulation = Simulation::new(shape, args.hostile);
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.context("failed to listen on this machine")?;
    let azure_stop = CancellationToken::new();
    let (server, azure) =
        simulation.serve(listener, Arc::clone(&clock), azure_stop.clone().cancelled_owned())?;
    let path = simulation.write_files(&dir, &server, POLICIES)?;
    let fleet = check(&path, Secrets::Read, clock.now())?;
    let fleet = fleet.fleet.ok_or_else(|| anyhow::Error::new(Invalid(fleet.problems)))?;
    let store_path = dir.join("holdfast.sqlite");
    let _only_one = OneProcess::lock(&store_path)?;
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&store_path, Arc::clone(&clock), Mode::Own).await?);
    let console_stop = CancellationToken::new();
    let pages = (&fleet, &store, &clock);
    let console = serve_console(args, pages, context, &console_stop).await?;
    let calls = Arc::new(CallCounter::default());
    let (rng, store_for_engine) = (context.rng(), context.telemetry.store(Arc::clone(&store)));
    let engine = Engine::new(EngineParts {
        fleet,
        store: store_for_engine,
        queue: Arc::new(MemoryQueue::default()),
        clock,
        calls: Arc::clone(&calls) as _,
        steps: context.telemetry.steps(),
        rng,
    })?;

    // The preparation may take long: ticks from before the engine's first list are not owed.
    night.show(three_seconds_before_two(machine.now()));
    let began = machine.elapsed();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    let working = tokio::spawn(engine.run(Role::All, stop.clone()));
    let done = follow(&*store, args.apps, &machine, context, &stop).await;
    let seconds = machine.elapsed().saturating_sub(began).as_secs_f64();
    let ending = async {
        working.await.context("the engine panicked")?;
        stopper.abort();
        azure_stop.cancel();
        server.stopped().await?;
        console_stop.cancel();
        anyhow::Ok(())
    };
    let counters = || azure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).counters().clone();
    let report = async || {
        let summary = Summary::gather(&*store, &counters(), &calls, args, seconds).await?;
        show(&summary, &store_path, context)?;
        anyhow::Ok(summary)
    };
    if args.keep && matches!(done, Ok(true)) {
        let summary = report().await?;
        context.out.message(&goes_on(console.as_ref()));
        stop.cancelled().await;
        ending.await?;
        return Ok(exit(&summary));
    }
    stop.cancel();
    ending.await?;
    let finished = done?;
    let summary = report().await?;
    if !finished {
        context.out.message("error: the demonstration was interrupted");
        return Ok(Exit::Interrupted);
    }
    Ok(exit(&summary))
}

fn goes_on(console: Option<&Server>) -> String {
    let place = console.map_or_else(String::new, |server| format!(" at http://{}/", server.address()));
    format!("the demonstration goes on{place}; stop it with Ctrl-C")
}

fn exit(summary: &Summary) -> Exit {
    if summary.is_good() { Exit::Done } else { Exit::Failed }
}

fn show(summary: &Summary, store: &Path, context: &Context) -> anyhow::Result<()> {
    if context.out.is_document() {
        context.out.document(summary)?;
    } else {
        context.out.text(&summary.for_people(store))?;
    }
    Ok(())
}

/// Serves the console of the demonstration, and says where.
async fn serve_console(
    args: &DemoArgs,
    (fleet, store, clock): (&Fleet, &Arc<dyn Store>, &Arc<dyn Clock>),
    context: &Context,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Server>> {
    let served = Served {
        telemetry: &context.telemetry,
        role: Role::All,
        store: Arc::clone(store),
        consumers: None,
        site: Some(site_parts(fleet, store, clock, context, None)?.0),
        limits: ListenerLimits::default(),
    };
    let console = serve(demo_listener(args.listen).await?, served, stop)?;
    if let Some(console) = &console {
        context.out.message(&format!("the console is at http://{}/", console.address()));
    }
    Ok(console)
}

/// Three seconds before the last 02:00 UTC, the time of the schedules.
fn three_seconds_before_two(now: Timestamp) -> Timestamp {
    let two = now.date_naive().and_hms_opt(2, 0, 0).map_or(now, |two| two.and_utc());
    let past = if two <= now { two } else { two - chrono::TimeDelta::days(1) };
    past - chrono::TimeDelta::seconds(3)
}

/// Waits until the run of every app has ended; `false` when stopped earlier.
async fn follow(
    store: &dyn Store,
    apps: u32,
    machine: &dyn Clock,
    context: &Context,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let style = "backing up {bar:40} {pos}/{len} apps, {msg} [{elapsed}]";
    let bar = context.out.progress(usize::try_from(apps)?, style);
    let began = machine.elapsed();
    loop {
        let ended = count(store, StateCode::Ended).await?;
        let polling = count(store, StateCode::Polling).await?;
        bar.set_position(u64::try_from(ended)?);
        bar.set_message(format!("{polling} under way at Azure"));
        if ended >= usize::try_from(apps)? {
            bar.finish_and_clear();
            return Ok(true);
        }
        if machine.elapsed().saturating_sub(began) > TIMEOUT {
            return Err(unfinished(store, apps, ended).await?.into());
        }
        if tokio::time::timeout(POLL_INTERVAL, stop.cancelled()).await.is_ok() {
            bar.abandon();
            return Ok(false);
        }
    }
}

/// The error of a demonstration that does not end: what is missing, and why.
async fn unfinished(store: &dyn Store, apps: u32, ended: usize) -> anyhow::Result<Error> {
    let planned = store.runs(&backups()).await?.len();
    let without = usize::try_from(apps)?.saturating_sub(planned);
    let mut what = format!(
        "only {ended} of {apps} runs ended within {} s: {} without a run, {} unfinished",
        TIMEOUT.as_secs(),
        counted(without, "app"),
        counted(planned.saturating_sub(ended), "run")
    );
    for note in status(store, true).await?.notes() {
        what.push_str("\n  ");
        what.push_str(&note);
    }
    Ok(Error::new(ErrorKind::Refused, what).help("try fewer apps with --apps"))
}

/// The backups alone: enrolments are recorded as runs too, and have ended when they are written.
fn backups() -> RunFilter {
    RunFilter { kind: Some(RunKind::Backup), ..RunFilter::default() }
}

async fn count(store: &dyn Store, state: StateCode) -> anyhow::Result<usize> {
    Ok(store.runs(&RunFilter { state: Some(state), ..backups() }).await?.len())
}

#[cfg(test)]
mod tests {
    use holdfast_model::parse_timestamp;

    use super::*;

    #[test]
    fn the_night_begins_three_seconds_before_the_last_two_oclock() {
        for (now, begins) in [
            ("2026-11-23T16:00:00Z", "2026-11-23T01:59:57Z"),
            ("2026-11-23T01:59:59Z", "2026-11-22T01:59:57Z"),
            ("2026-11-23T02:00:00Z", "2026-11-23T01:59:57Z"),
        ] {
            let (now, begins) = (parse_timestamp(now).unwrap(), parse_timestamp(begins).unwrap());
            assert_eq!(three_seconds_before_two(now), begins);
        }
    }
}
