//! `holdfast run`, `holdfast scheduler` and `holdfast worker`: the processes that work until stopped.

use std::sync::Arc;

use holdfast_config::{Fleet, FleetText, Secrets};
use holdfast_console::{Server, SiteParts, listener};
use holdfast_control::{Error, ErrorKind, fleet_file};
use holdfast_notify::NotifierHealth;
use holdfast_queue::AmqpQueue;
use holdfast_store::{Mode, Store};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::args::{ConsoleArgs, RunArgs, SchedulerArgs, WorkerArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::{Backends, own_store};
use crate::runtime::checkpoints::checkpoints;
use crate::runtime::notifications::notifications;
use crate::runtime::signals::{hangups, stop_on_signal};
use crate::runtime::site::site_parts;
use holdfast_runtime::console::{Served, serve as serve_console};
use holdfast_runtime::take_up::{self, Follower, TakeUp, TakeUpParts, Tasks};
use holdfast_runtime::{Engine, EngineParts, Role};

/// Everything in one process.
pub async fn run(args: &RunArgs, context: &Context) -> anyhow::Result<Exit> {
    serve((Role::All, args.watch), args.concurrency, &args.console, context).await
}

/// A scheduler alone.
pub async fn scheduler(args: &SchedulerArgs, context: &Context) -> anyhow::Result<Exit> {
    needs_what_is_shared("scheduler", context)?;
    serve((Role::Scheduler, args.watch), None, &args.console, context).await
}

/// A worker alone.
pub async fn worker(args: &WorkerArgs, context: &Context) -> anyhow::Result<Exit> {
    needs_what_is_shared("worker", context)?;
    serve((Role::Worker, false), args.concurrency, &args.console, context).await
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
    (role, watch): (Role, bool),
    concurrency: Option<u32>,
    console: &ConsoleArgs,
    context: &Context,
) -> anyhow::Result<Exit> {
    context.check_file()?;
    let limits = console.limits()?;
    // Where several processes share a database, `holdfast migrate` brings it up to date once, before they start.
    let mode = if role == Role::All { Mode::Own } else { Mode::Join };
    let (store, lock) = own_store(mode, context).await?;
    let mut in_force = context.in_force(&*store, Secrets::Read).await?;
    let fleet = &mut in_force.fleet;
    fleet.engine.concurrency = concurrency.unwrap_or(fleet.engine.concurrency);
    let prefetch = (role != Role::Scheduler).then_some(fleet.engine.concurrency);
    let backends = Backends::with_queue((store, lock), prefetch, context).await?;
    let Backends { store, queue, broker, lock: _only_one, .. } = backends;
    if role.plans() && in_force.revision.is_none() {
        let file = FleetText::read(&context.global.fleet)?;
        fleet_file::record(&*store, file.text.as_bytes(), context.actor(), &mut context.rng()).await?;
    }
    let (telemetry, stop) = (&context.telemetry, CancellationToken::new());
    let tasks = Tasks { tracker: TaskTracker::new(), stop: stop.clone() };
    let mut engine = Engine::new(EngineParts {
        fleet: in_force.fleet.clone(),
        store: telemetry.store(Arc::clone(&store)),
        queue: telemetry.queue(queue),
        clock: Arc::clone(&context.clock),
        calls: telemetry.calls(),
        steps: telemetry.steps(),
        rng: context.rng(),
    })?;
    let (mut followers, notifier) = (vec![take_up::engine(engine.changer())], NotifierHealth::default());
    let site = if role.plans() {
        let (parts, of_fleet) = planning(&in_force.fleet, &store, console, (context, &tasks, &notifier))?;
        followers.extend(of_fleet);
        Some(parts)
    } else {
        None
    };
    let revision = in_force.revision;
    tracing::info!(role = role.as_str(), fleet = %context.global.fleet.display(), revision, "running; stop with Ctrl-C");
    let consumers = broker.clone().map(attached);
    let served =
        Served { telemetry, role, store: Arc::clone(&store), consumers, site, limits: limits.clone() };
    let listener = listener(console.listen, (console.allow_remote, &limits.entry), role == Role::All).await?;
    let shown = serve_console(listener, served, &stop)?;
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    let taking_up = TakeUp::new(TakeUpParts {
        store: telemetry.store(Arc::clone(&store)),
        clock: Arc::clone(&context.clock),
        role,
        person: context.actor(),
        file: context.global.fleet.clone(),
        watch,
        in_force,
        concurrency,
        followers,
        notifier,
        rng: context.rng(),
    });
    let taking_up = tokio::spawn(taking_up.run(hangups()?, stop.clone()));
    if let Some(broker) = broker.clone() {
        tokio::spawn(stop_receiving(broker, stop.clone()));
    }
    engine.run(role, stop).await;
    stopper.abort();
    taking_up.await?;
    tasks.tracker.close();
    tasks.tracker.wait().await;
    close(shown, (broker, &*store)).await?;
    tracing::info!("stopped; nothing is lost");
    Ok(Exit::Done)
}

/// What a process that plans serves and sends, and what follows the fleet in it.
fn planning(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    console: &ConsoleArgs,
    (context, tasks, notifier): (&Context, &Tasks, &NotifierHealth),
) -> anyhow::Result<(SiteParts, [Follower; 3])> {
    let (entra, public_url) = (console.entra.application(), console.entra.public_url.clone());
    let (parts, pages) = site_parts(fleet, store, &context.clock, context, entra)?;
    let checkpoints = checkpoints(fleet, store, context, tasks.clone())?;
    let notifications = notifications(fleet, store, public_url, context, (tasks.clone(), notifier.clone()))?;
    Ok((parts, [pages, checkpoints, notifications]))
}

/// Lets prefetched messages go to other workers at once: they do not wait for the active steps of this process.
async fn stop_receiving(broker: Arc<AmqpQueue>, stop: CancellationToken) {
    stop.cancelled().await;
    broker.stop_receiving();
}

/// Waits for the last answers of the console, and closes what is open.
async fn close(
    shown: Option<Server>,
    (broker, store): (Option<Arc<AmqpQueue>>, &dyn Store),
) -> anyhow::Result<()> {
    if let Some(shown) = shown {
        shown.stopped().await?;
    }
    if let Some(broker) = broker {
        broker.close().await;
    }
    store.close().await;
    Ok(())
}

/// Counts a broker's consumers.
fn attached(broker: Arc<AmqpQueue>) -> Arc<dyn Fn() -> u64 + Send + Sync> {
    Arc::new(move || u64::try_from(broker.consumers_attached()).unwrap_or(u64::MAX))
}
