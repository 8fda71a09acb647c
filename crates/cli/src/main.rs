//! The `holdfast` binary: parses the command line and runs the command.

mod args;
mod candidates;
mod command_line;
mod commands;
mod confirm;
mod context;
mod exit;
mod output;
mod place;
mod runtime;
mod submitter;

use std::process::ExitCode;
use std::sync::Arc;

use args::{
    AppsCommand, BackupsCommand, Cli, Command, ConfigCommand, Global, Level, LogFormat,
    NativeScheduleCommand, PoliciesCommand, RunsCommand, ScheduleCommand,
};
use clap_complete::CompleteEnv;
use context::Context;
use exit::Exit;
use holdfast_hardening::{harden, has_password, raise_open_files};
use holdfast_model::{Clock, SystemClock};
use holdfast_telemetry::{LogOptions, Service, Telemetry};

fn main() -> ExitCode {
    harden();
    CompleteEnv::with_factory(command_line::command).complete();
    holdfast_telemetry::install_panic_message();
    // Two TLS providers in one process panic at their first use: this one is chosen before anything can ask.
    let chosen = rustls::crypto::ring::default_provider().install_default();
    let cli = match command_line::parse() {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    let long_running = matches!(
        cli.command,
        Command::Run(_) | Command::Scheduler(_) | Command::Worker(_) | Command::Simulate(_)
    );
    let default = if long_running { Level::Info } else { Level::Warn };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let log = log_options(&cli.global, default);
    let variable = |name: &str| std::env::var(name).ok();
    let telemetry = Telemetry::start(&log, service(&cli), variable, Arc::clone(&clock));
    if chosen.is_err() {
        tracing::warn!("another TLS provider was chosen already");
    }
    raise_open_files();
    let context = Context::new(cli.global, clock, telemetry);
    if has_password(std::env::args_os()) {
        context.out.message(
            "warning: the command line holds a password, and each user of this machine sees it in the list of processes\n\
             help: give `env:NAME` or `file:PATH`, or set HOLDFAST_DATABASE_URL and HOLDFAST_AMQP_URL",
        );
    }
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(dispatch(&cli.command, &context)));
    context.telemetry.finish();
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            context.out.error(&exit::render(&error));
            Exit::of(&error).into()
        }
    }
}

/// `--log` wins over `HOLDFAST_LOG`, and both over the command's default.
fn log_options(global: &Global, default: Level) -> LogOptions {
    let from_environment = || std::env::var("HOLDFAST_LOG").ok().filter(|text| !text.trim().is_empty());
    let chosen = global.log.map(|level| level.as_str().to_owned()).or_else(from_environment);
    LogOptions {
        directives: chosen.unwrap_or_else(|| default.as_str().to_owned()),
        json: global.log_format == LogFormat::Json,
        colored: global.color.applies_to(&std::io::stderr()),
    }
}

/// The telemetry service of a process that does work; other commands have logs only.
fn service(cli: &Cli) -> Option<Service> {
    let name = service_name(&cli.command)?;
    let logs_runs = matches!(
        cli.command,
        Command::Run(_) | Command::Scheduler(_) | Command::Worker(_) | Command::Demo(_)
    );
    let messaging_system = if cli.global.amqp_url.is_some() { "rabbitmq" } else { "in_process" };
    Some(Service { name, messaging_system, logs_runs })
}

fn service_name(command: &Command) -> Option<&'static str> {
    match command {
        Command::Run(_)
        | Command::Demo(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Drill(_)
        | Command::Sas(_)
        | Command::Backups(BackupsCommand::Delete(_))
        | Command::NativeSchedule(NativeScheduleCommand::Push(_) | NativeScheduleCommand::Remove(_)) => {
            Some("holdfast")
        }
        Command::Scheduler(_) => Some("holdfast-scheduler"),
        Command::Worker(_) => Some("holdfast-worker"),
        _ => None,
    }
}

async fn dispatch(command: &Command, context: &Context) -> anyhow::Result<Exit> {
    context.require_place(command)?;
    match command {
        Command::Run(args) => commands::run::run(args, context).await,
        Command::Scheduler(args) => commands::run::scheduler(args, context).await,
        Command::Worker(args) => commands::run::worker(args, context).await,
        Command::Demo(args) => commands::demo::run(args, context).await,
        Command::Init(args) => commands::take_over::init(args, context).await,
        Command::Import(command) => commands::take_over::import(command, context).await,
        Command::Backup(args) => commands::backup::run(args, context).await,
        Command::Restore(args) => commands::restore::restore(args, context).await,
        Command::Drill(args) => commands::restore::drill(args, context).await,
        Command::Doctor(args) => commands::doctor::run(args, context).await,
        Command::Sas(command) => commands::sas::run(command, context).await,
        Command::Simulate(args) => commands::simulate::run(args, context).await,
        Command::Backups(command) => commands::backups::run(command, context).await,
        Command::Hold(command) => commands::hold::run(command, context).await,
        Command::Verify(args) => commands::verify::run(args, context).await,
        Command::Retention(args) => commands::retention::run(args, context).await,
        Command::NativeSchedule(command) => commands::native_schedule::run(command, context).await,
        Command::Status(args) => commands::status::run(args, context).await,
        Command::Check(args) => commands::freshness::run(args, context).await,
        Command::History(args) => commands::history::run(args, context).await,
        Command::Runs(RunsCommand::Show { id }) => commands::show::run(*id, context).await,
        Command::Runs(RunsCommand::Follow(args)) => commands::follow::run(args, context).await,
        Command::Runs(RunsCommand::Retry(args)) => commands::retry::run(args, context).await,
        Command::Runs(RunsCommand::Cancel(args)) => commands::steer::cancel_runs(args, context).await,
        Command::Runs(RunsCommand::Acknowledge { id, note }) => {
            commands::steer::acknowledge_run(*id, note, context).await
        }
        Command::Plan(args) => commands::plan::run(args, context).await,
        Command::Apply(args) => commands::revisions::apply(args, context).await,
        Command::Revisions(command) => commands::revisions::run(command, context).await,
        Command::Schedule(ScheduleCommand::Preview(args)) => commands::preview::run(args, context).await,
        Command::Config(ConfigCommand::Check(args)) => commands::check::run(args, context).await,
        Command::Config(ConfigCommand::Show(args)) => commands::effective::run(args, context).await,
        Command::Config(ConfigCommand::Fmt(args)) => commands::fmt::run(args, context),
        Command::Config(ConfigCommand::Schema) => commands::fmt::schema(context),
        Command::Apps(AppsCommand::Discover(args)) => commands::apps::run(args, context).await,
        Command::Apps(AppsCommand::Pause(args)) => commands::steer::pause_apps(args, context).await,
        Command::Apps(AppsCommand::Resume(args)) => commands::steer::resume_apps(args, context).await,
        Command::Policies(PoliciesCommand::Pause(args)) => commands::steer::pause_policy(args, context).await,
        Command::Policies(PoliciesCommand::Resume(args)) => {
            commands::steer::resume_policy(args, context).await
        }
        Command::Budgets(command) => commands::budgets::run(command, context).await,
        Command::DeadLetters(command) => commands::dead_letters::run(command, context).await,
        Command::Notify(command) => commands::notify::run(command, context).await,
        Command::Tokens(command) => commands::tokens::run(command, context).await,
        Command::Audit(command) => commands::audit::run(command, context).await,
        Command::Store(command) => commands::store::run(command, context).await,
        Command::Report(args) => commands::report::run(args, context).await,
        Command::Help(args) => commands::help::run(args, context),
        Command::Completions(args) => commands::help::completions(args, context),
        Command::Man(args) => commands::help::man(args, context),
        Command::Migrate(_) => commands::migrate::run(context).await,
        Command::Approvals(command) => commands::approvals::run(command, context).await,
        Command::Login => commands::login::login(context).await,
        Command::Logout => commands::login::logout(context),
        Command::Whoami => commands::login::whoami(context).await,
    }
}
