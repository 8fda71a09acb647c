//! `holdfast run`, `holdfast scheduler` and `holdfast worker`: the processes that work until stopped.

use std::sync::Arc;

use holdfast_console::listener;
use holdfast_control::{Error, ErrorKind, fleet_file};
use holdfast_queue::AmqpQueue;
use holdfast_store::Mode;
use tokio_util::sync::CancellationToken;

use crate::args::{ConsoleArgs, RunArgs, SchedulerArgs, WorkerArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;
use crate::runtime::checkpoints::checkpointer;
use crate::runtime::site::site_parts;
use crate::runtime::stop_signal::stop_on_signal;
use holdfast_runtime::console::{Served, serve as serve_console};
use holdfast_runtime::notifications::{NotificationLoops, NotificationParts};
use holdfast_runtime::{Engine, EngineParts, Role};

/// Everything in one process.
pub async fn run(args: &RunArgs, context: &Context) -> anyhow::Result<Exit> {
    serve(Role::All, args.concurrency, &args.console, context).await
}

/// A scheduler alone.
pub async fn scheduler(args: &SchedulerArgs, context: &Context) -> anyhow::Result<Exit> {
    needs_what_is_shared("scheduler", context)?;
    serve(Role::Scheduler, None, &args.console, context).await
}

/// A worker alone.
pub async fn worker(args: &WorkerArgs, context: &Context) -> anyhow::Result<Exit> {
    needs_what_is_shared("worker", context)?;
    serve(Role::Worker, args.concurrency, &args.console, context).await
}

/// A process that does a part of the work meets the others in a database and a broker.
fn needs_what_is_shared(role: &str, context: &Context) -> anyhow::Result<()> {
    if context.global.database_url.is_some() && context.global.amqp_url.is_some() {
        return Ok(());
    }
    let what = format!("a {role} alone needs a store and a queue that other processes share");
    let help = "give --database-url and --amqp-url, or do everything in one process with `holdfast run`";
    Err(Error::new(ErrorKind::Invalid, what).help(help).into())
}

/// Runs until Ctrl-C or SIGTERM, then finishes the active steps.
async fn serve(
    role: Role,
    concurrency: Option<u32>,
    console: &ConsoleArgs,
    context: &Context,
) -> anyhow::Result<Exit> {
    let (mut fleet, limits) = (context.fleet()?, console.limits()?);
    fleet.engine.concurrency = concurrency.unwrap_or(fleet.engine.concurrency);
    // Where several processes share a database, `holdfast migrate` brings it up to date once, before they start.
    let mode = if role == Role::All { Mode::Own } else { Mode::Join };
    let prefetch = (role != Role::Scheduler).then_some(fleet.engine.concurrency);
    let backends = Backends::open(mode, prefetch, context).await?;
    let Backends { store, queue, broker, lock: _only_one, .. } = backends;
    if role.plans() {
        let file = std::fs::read(&context.global.fleet)?;
        fleet_file::record(&*store, &file, context.actor(), &mut context.rng()).await?;
    }
    let telemetry = &context.telemetry;
    let entra = console.entra.application();
    let site =
        role.plans().then(|| site_parts(&fleet, &store, &context.clock, context, entra)).transpose()?;
    let checkpointer = checkpointer(&fleet, &store, &context.clock)?.filter(|_| role.plans());
    let notifications = role.plans().then(|| {
        NotificationLoops::new(NotificationParts {
            fleet: &fleet,
            store: &store,
            clock: &context.clock,
            telemetry,
            public_url: console.entra.public_url.clone(),
            rng: context.rng(),
        })
    });
    let notifications = notifications.transpose()?;
    let engine = Engine::new(EngineParts {
        fleet,
        store: telemetry.store(Arc::clone(&store)),
        queue: telemetry.queue(queue),
        clock: Arc::clone(&context.clock),
        calls: telemetry.calls(),
        steps: telemetry.steps(),
        rng: context.rng(),
    })?;
    tracing::info!(role = role.as_str(), fleet = %context.global.fleet.display(), "running; stop with Ctrl-C");
    let stop = CancellationToken::new();
    let consumers = broker.clone().map(attached);
    let served =
        Served { telemetry, role, store: Arc::clone(&store), consumers, site, limits: limits.clone() };
    let listener = listener(console.listen, (console.allow_remote, &limits.entry), role == Role::All).await?;
    let shown = serve_console(listener, served, &stop)?;
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    let checkpoints = checkpointer.map(|of| tokio::spawn(of.keep(stop.clone().cancelled_owned())));
    let notifications = notifications.map(|of| tokio::spawn(of.run(stop.clone())));
    if let Some(broker) = broker.clone() {
        // Prefetched messages go to other workers at once, and do not wait for the active steps of this process.
        let stop = stop.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            broker.stop_receiving();
        });
    }
    engine.run(role, stop).await;
    stopper.abort();
    if let Some(checkpoints) = checkpoints {
        let _ = checkpoints.await;
    }
    if let Some(notifications) = notifications {
        let _ = notifications.await;
    }
    if let Some(shown) = shown {
        shown.stopped().await?;
    }
    if let Some(broker) = broker {
        broker.close().await;
    }
    store.close().await;
    tracing::info!("stopped; nothing is lost");
    Ok(Exit::Done)
}

/// Counts a broker's consumers.
fn attached(broker: Arc<AmqpQueue>) -> Arc<dyn Fn() -> u64 + Send + Sync> {
    Arc::new(move || u64::try_from(broker.consumers_attached()).unwrap_or(u64::MAX))
}
