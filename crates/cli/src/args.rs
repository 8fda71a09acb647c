//! The command line: what may be written after `holdfast`.

mod backups;
mod dead;
mod doctor;
mod restore;
mod sas;
mod serve;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use holdfast_model::{RunId, RunKind};

pub use backups::{
    AdoptArgs, AppsArgs, BackupsCommand, ChangeArgs, DeleteArgs, Going, HoldArgs, HoldCommand, ListArgs,
    NativeScheduleCommand, RetentionArgs, ShowArgs,
};
pub use dead::{DeadCommand, PickArgs};
pub use doctor::DoctorArgs;
pub use restore::{DrillArgs, RestoreArgs, WhichBackup};
pub use sas::{SasCheckArgs, SasCommand, SasRefreshArgs};
pub use serve::{ConsoleArgs, DemoArgs, RunArgs, SchedulerArgs, SimulateArgs, WorkerArgs};

/// Central, audited backups for fleets of Azure App Service apps.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, arg_required_else_help = true, after_help = crate::exit::CODES)]
pub struct Cli {
    /// What all commands have.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands have.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The fleet file
    #[arg(long, global = true, env = "HOLDFAST_FLEET", default_value = "fleet.toml", value_name = "PATH")]
    pub fleet: PathBuf,
    /// The store's file
    #[arg(
        long,
        global = true,
        env = "HOLDFAST_STORE",
        default_value = "holdfast.sqlite",
        value_name = "PATH"
    )]
    pub store: PathBuf,
    /// PostgreSQL in place of the store's file: its URL, or better `env:NAME` or `file:PATH` that holds it
    #[arg(long, global = true, env = "HOLDFAST_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// RabbitMQ in place of the queue in this process: its URL, or better `env:NAME` or `file:PATH` that holds it
    #[arg(long, global = true, env = "HOLDFAST_AMQP_URL", hide_env_values = true, value_name = "URL")]
    pub amqp_url: Option<String>,
    /// Who asks, for the audit [default: whoever is logged in]
    #[arg(long, global = true, env = "HOLDFAST_ACTOR", value_name = "NAME")]
    pub actor: Option<String>,
    /// Tables for people, or one JSON document for programs
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// Log this level and above to stderr [default: warn; info for `run` and `simulate`]
    #[arg(long, global = true, value_enum, value_name = "LEVEL")]
    pub log: Option<Level>,
    /// How log lines are written
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Colours: `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Failures.
    Error,
    /// And what somebody should look at.
    Warn,
    /// And what happens.
    Info,
    /// And why.
    Debug,
    /// And everything else.
    Trace,
}

impl Level {
    /// The word in filter directives.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether text written to `stream` gets colours.
    pub fn applies_to(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scheduler and worker in one process, until stopped
    #[command(after_help = "Example:\n  holdfast run --fleet fleet.toml --store holdfast.sqlite")]
    Run(RunArgs),
    /// Run a scheduler alone: plans what is due and hands it out; any number of them
    #[command(
        after_help = "Example:\n  holdfast scheduler --database-url env:DATABASE_URL --amqp-url env:AMQP_URL"
    )]
    Scheduler(SchedulerArgs),
    /// Run a worker alone: carries out what is handed out; any number of them
    #[command(
        after_help = "Example:\n  holdfast worker --concurrency 64 --database-url env:DATABASE_URL --amqp-url env:AMQP_URL"
    )]
    Worker(WorkerArgs),
    /// Back up a made-up fleet against a simulated Azure, in minutes and without an account
    #[command(after_help = "Examples:\n  holdfast demo\n  holdfast demo --apps 50 --seed 7 --hostile")]
    Demo(DemoArgs),
    /// Serve a simulated Azure, with a fleet file that fits it
    #[command(after_help = "Example:\n  holdfast simulate --apps 20 --seed 7 --dir sim")]
    Simulate(SimulateArgs),
    /// Back up apps now
    #[command(
        after_help = "Examples:\n  holdfast backup shop --wait\n  holdfast backup shop/staging wiki --policy gold"
    )]
    Backup(BackupArgs),
    /// Bring an app, a slot or a new app to what a backup holds
    #[command(
        after_help = "Examples:\n  holdfast restore shop --latest --to-slot staging --overwrite --wait\n  holdfast restore shop --at 2027-01-31T00:00:00Z --to-new shop-before\n  holdfast restore shop --backup 458165 --overwrite --output json"
    )]
    Restore(RestoreArgs),
    /// Restore a backup into a scratch app, and look whether it answers
    #[command(
        after_help = "Examples:\n  holdfast drill shop --wait\n  holdfast drill shop --backup 458165 --into /subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/scratch --yes"
    )]
    Drill(DrillArgs),
    /// Look at the SAS that backups are written with, and at those that Azure keeps
    #[command(subcommand)]
    Sas(SasCommand),
    /// Try everything that backups depend on, and say what to do about what does not work
    #[command(after_help = "Examples:\n  holdfast doctor\n  holdfast doctor shop --output json")]
    Doctor(DoctorArgs),
    /// Look at the backups that are kept, delete them, take them over
    #[command(subcommand)]
    Backups(BackupsCommand),
    /// Keep backups from being deleted
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Check that the backups of the catalog are still there and whole
    #[command(after_help = "Examples:\n  holdfast verify shop\n  holdfast verify --all --output json")]
    Verify(AppsArgs),
    /// Show which backups the rules would delete now, and why the others stay
    #[command(after_help = "Examples:\n  holdfast retention shop\n  holdfast retention --policy gold")]
    Retention(RetentionArgs),
    /// Azure's own schedules, which run beside Holdfast's
    #[command(subcommand)]
    NativeSchedule(NativeScheduleCommand),
    /// Show how every app stands
    #[command(
        after_help = "Examples:\n  holdfast status\n  holdfast status --problems\n  holdfast status --output json"
    )]
    Status(StatusArgs),
    /// Show an app's runs, the newest first
    #[command(after_help = "Examples:\n  holdfast history shop\n  holdfast history shop/staging --limit 5")]
    History(HistoryArgs),
    /// Look at runs
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Look at schedules
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Look at the fleet file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the apps that Azure knows
    #[command(subcommand)]
    Apps(AppsCommand),
    /// Look at messages that the broker or a worker refused
    #[command(subcommand)]
    Dead(DeadCommand),
    /// Look at the audit
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Make the store, or bring it to this program's schema
    #[command(after_help = "Example:\n  holdfast migrate --store holdfast.sqlite")]
    Migrate(MigrateArgs),
}

/// `holdfast backup`
#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// ARM ids or short names, such as `shop` or `shop/staging`
    #[arg(required = true, value_name = "APP")]
    pub apps: Vec<String>,
    /// Wait for the end, and fail unless every backup succeeded
    #[arg(long)]
    pub wait: bool,
    /// Under this policy's policy snapshot [default: the app's own policy]
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
}

/// `holdfast status`
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Only apps that somebody should look at
    #[arg(long)]
    pub problems: bool,
}

/// `holdfast history`
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// The ARM id or the short name, such as `shop` or `shop/staging`
    #[arg(value_name = "APP")]
    pub app: String,
    /// At most so many runs
    #[arg(long, default_value_t = 20, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Only runs of this kind: `backup`, `restore`, `drill`, `delete`, `refresh_sas`, `push_schedule` or `note`
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<RunKind>,
}

/// `holdfast runs`
#[derive(Debug, Clone, Subcommand)]
pub enum RunsCommand {
    /// Show a run and everything that happened to it
    #[command(after_help = "Example:\n  holdfast runs show 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10")]
    Show {
        /// The run's id
        #[arg(value_name = "ID")]
        id: RunId,
    },
}

/// `holdfast schedule`
#[derive(Debug, Clone, Subcommand)]
pub enum ScheduleCommand {
    /// Show when apps are due next, with their places inside the spread and across changes of the clocks
    #[command(
        after_help = "Examples:\n  holdfast schedule preview\n  holdfast schedule preview --app shop --count 10\n  holdfast schedule preview --policy gold --from 2027-03-27T00:00:00Z"
    )]
    Preview(PreviewArgs),
}

/// `holdfast schedule preview`
#[derive(Debug, Clone, Args)]
pub struct PreviewArgs {
    /// Only this app: its ARM id or short name
    #[arg(long, value_name = "APP", conflicts_with = "policy")]
    pub app: Option<String>,
    /// Only this policy, by its cron times without an app's place in the spread
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// How many times of each
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub count: u32,
    /// Begin after this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<holdfast_model::Timestamp>,
}

/// `holdfast config`
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Check the fleet file and print everything that is wrong with it
    #[command(
        after_help = "Examples:\n  holdfast config check\n  holdfast config check --no-secrets --output json"
    )]
    Check(CheckArgs),
}

/// `holdfast config check`
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Do not try to read secrets, as on a machine that has none
    #[arg(long)]
    pub no_secrets: bool,
}

/// `holdfast apps`
#[derive(Debug, Clone, Subcommand)]
pub enum AppsCommand {
    /// Ask Azure what each `[[discover]]` rule finds, and which apps are in no policy
    #[command(after_help = "Examples:\n  holdfast apps discover\n  holdfast apps discover --output json")]
    Discover(DiscoverArgs),
}

/// `holdfast apps discover`
#[derive(Debug, Clone, Args)]
pub struct DiscoverArgs {
    /// Only apps in no policy
    #[arg(long)]
    pub unprotected: bool,
}

/// `holdfast audit`
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Check that no event was changed, taken away or moved since it was written
    #[command(after_help = "Example:\n  holdfast audit verify")]
    Verify(VerifyArgs),
}

/// `holdfast audit verify`
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The last hash that an earlier check told: events cut off at the end show only by it. Where months were taken off,
    /// the hash of their last event
    #[arg(long, value_name = "HASH")]
    pub since: Option<String>,
}

/// `holdfast migrate`
#[derive(Debug, Clone, Args)]
pub struct MigrateArgs {}

/// Reads a time.
fn time(text: &str) -> Result<holdfast_model::Timestamp, String> {
    let expected = "expected a time such as 2026-12-01T02:00:00Z";
    holdfast_model::parse_timestamp(text).map_err(|_| expected.to_owned())
}

/// Reads a kind of run.
fn kind(text: &str) -> Result<RunKind, String> {
    let named = RunKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    let expected = || RunKind::ALL.map(RunKind::as_str).join(", ");
    named.ok_or_else(|| format!("expected one of {}", expected()))
}

#[cfg(test)]
mod tests;
