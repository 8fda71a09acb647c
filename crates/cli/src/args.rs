//! The command line: the commands and their arguments.

mod approvals;
mod audit;
mod backups;
mod budgets;
mod dead_letters;
mod doctor;
mod fleet;
mod global;
mod help;
mod hold;
mod native_schedule;
mod notify;
mod policies;
mod report;
mod restore;
mod revisions;
mod runs;
mod sas;
mod selection;
mod serve;
mod store;
mod take_over;
mod tokens;
mod values;

use std::sync::LazyLock;

use clap::{Parser, Subcommand};
use holdfast_config::ZoneData;

pub use approvals::{AnswerArgs, ApprovalsCommand};
pub use audit::{AuditCommand, CheckpointArgs, ExportArgs, KeygenArgs, VerifyArgs, VerifyExportArgs};
pub use backups::{AdoptArgs, BackupsCommand, DeleteArgs, ListArgs, RetentionArgs, ShowArgs};
pub use budgets::BudgetsCommand;
pub use dead_letters::{DeadLetterArgs, DeadLettersCommand};
pub use doctor::DoctorArgs;
pub use fleet::{
    AppsCommand, CheckArgs, ConfigCommand, DiscoverArgs, EffectiveArgs, FmtArgs, FreshnessArgs, PauseArgs,
    PauseTerms, PlanArgs, PreviewArgs, ResumeArgs, ScheduleCommand,
};
pub use global::{Format, Global, Level, LogFormat};
pub use help::{CompletionsArgs, HelpArgs, ManArgs};
pub use hold::{HoldCommand, HoldOptions};
pub use native_schedule::{ChangeArgs, NativeScheduleCommand};
pub use notify::{NotifyCommand, SilenceArgs};
pub use policies::{PausePolicyArgs, PoliciesCommand, ResumePolicyArgs};
pub use report::{ReportArgs, ReportCommand, ReportForm, VerifyReportArgs};
pub use restore::{Asked, DrillArgs, RestoreArgs};
pub use revisions::{ApplyArgs, RevisionOptions, RevisionsCommand};
pub use runs::{BackupArgs, CancelArgs, FollowArgs, HistoryArgs, RetryArgs, RunsCommand, StatusArgs};
pub use sas::{SasCheckArgs, SasCommand, SasRefreshArgs};
pub use selection::{AppsArgs, ChangeOptions};
pub use serve::{ConsoleArgs, DemoArgs, RunArgs, SchedulerArgs, SimulateArgs, WorkerArgs};
pub use store::{MigrateArgs, RemoveRowArgs, StoreCommand};
pub use take_over::{DraftArgs, ImportCommand, ImportNativeArgs, InitArgs, LookArgs};
pub use tokens::{CreateTokenArgs, TokensCommand};

/// Central, audited backups for fleets of Azure App Service apps.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, long_version = long_version(), arg_required_else_help = true, disable_help_subcommand = true, after_help = crate::exit::CODES)]
pub struct Cli {
    /// The options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What `--version` prints: the program's version, and the time zone data in use.
fn long_version() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| format!("{}\ntime zones: {}", env!("CARGO_PKG_VERSION"), ZoneData::find()));
    &TEXT
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scheduler and worker in one process, until stopped
    #[command(after_help = "Example:\n  holdfast run --fleet fleet.toml --store holdfast.sqlite")]
    Run(RunArgs),
    /// Run a scheduler alone, which plans and dispatches due runs; any number may run
    #[command(
        after_help = "Example:\n  holdfast scheduler --database-url env:DATABASE_URL --amqp-url env:AMQP_URL"
    )]
    Scheduler(SchedulerArgs),
    /// Run a worker alone, which carries out dispatched steps; any number may run
    #[command(
        after_help = "Example:\n  holdfast worker --concurrency 64 --database-url env:DATABASE_URL --amqp-url env:AMQP_URL"
    )]
    Worker(WorkerArgs),
    /// Back up a generated fleet on a simulated Azure, in minutes and without an account
    #[command(after_help = "Examples:\n  holdfast demo\n  holdfast demo --apps 50 --seed 7 --hostile")]
    Demo(DemoArgs),
    /// Serve a simulated Azure, and write a fleet file for it
    #[command(after_help = "Example:\n  holdfast simulate --apps 20 --seed 7 --dir sim")]
    Simulate(SimulateArgs),
    /// Write a first fleet file from what Azure has: apps, native schedules, containers
    #[command(
        after_help = "Examples:\n  holdfast init --subscription 0a0a\n  holdfast init --subscription 0a0a --subscription 1b1b --slots --sas user-delegation --fleet new.toml"
    )]
    Init(InitArgs),
    /// Print parts of a fleet file from native schedules, a Terraform state or a table
    #[command(subcommand)]
    Import(ImportCommand),
    /// Back up apps now
    #[command(
        after_help = "Examples:\n  holdfast backup shop --wait\n  holdfast backup shop/staging wiki --with-policy gold\n  holdfast backup --match shop-* --state failed"
    )]
    Backup(BackupArgs),
    /// Restore backups into apps, slots or new apps
    #[command(
        after_help = "Examples:\n  holdfast restore shop --latest --to-slot staging --overwrite --wait\n  holdfast restore --policy gold --at 2027-01-31T00:00:00Z --to-app {app}-restored\n  holdfast restore shop --at 2027-01-31T00:00:00Z --to-new shop-before\n  holdfast restore shop --backup 458165 --overwrite --output json"
    )]
    Restore(RestoreArgs),
    /// Restore backups into scratch apps, and probe them
    #[command(
        after_help = "Examples:\n  holdfast drill shop --wait\n  holdfast drill --policy gold --yes\n  holdfast drill shop --backup 458165 --into /subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/scratch --yes"
    )]
    Drill(DrillArgs),
    /// Check the SAS of storages, and refresh those that Azure keeps with backups
    #[command(subcommand)]
    Sas(SasCommand),
    /// Check everything that backups depend on, and say how to fix what fails
    #[command(after_help = "Examples:\n  holdfast doctor\n  holdfast doctor shop --output json")]
    Doctor(DoctorArgs),
    /// List, show, delete and adopt backups
    #[command(subcommand)]
    Backups(BackupsCommand),
    /// Keep backups from being deleted
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Check that the backups of the catalog are still there and whole
    #[command(after_help = "Examples:\n  holdfast verify shop\n  holdfast verify --all --output json")]
    Verify(AppsArgs),
    /// Show which backups retention would delete now, and why it keeps the others
    #[command(after_help = "Examples:\n  holdfast retention shop\n  holdfast retention --policy gold")]
    Retention(RetentionArgs),
    /// Show, compare, set and remove Azure's own schedules
    #[command(subcommand)]
    NativeSchedule(NativeScheduleCommand),
    /// Show the status of every app
    #[command(
        after_help = "Examples:\n  holdfast status\n  holdfast status --problems\n  holdfast status --output json"
    )]
    Status(StatusArgs),
    /// Check that apps can be restored to where their policies say, for a monitoring system
    #[command(
        after_help = "Exit codes:\n  0  ok\n  1  warning\n  2  critical\n  3  unknown\n\nExamples:\n  holdfast check\n  holdfast check --policy gold\n  holdfast check shop --open-metrics"
    )]
    Check(FreshnessArgs),
    /// Show an app's runs, the newest first
    #[command(after_help = "Examples:\n  holdfast history shop\n  holdfast history shop/staging --limit 5")]
    History(HistoryArgs),
    /// Show, retry, cancel and acknowledge runs
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Forecast the coming hours: when windows end, what backups wait for, and which objectives are missed
    #[command(
        after_help = "Examples:\n  holdfast plan\n  holdfast plan --hours 48 --apps 5000\n  holdfast plan --output json"
    )]
    Plan(PlanArgs),
    /// Make a revision of the fleet file, which every process takes up without a restart
    #[command(
        after_help = "Examples:\n  holdfast apply --dry-run\n  holdfast apply --file new.toml --reason release\n  holdfast apply --allow-removals 3 --yes"
    )]
    Apply(ApplyArgs),
    /// List, show and compare revisions of the fleet, and go back to one
    #[command(subcommand)]
    Revisions(RevisionsCommand),
    /// Show schedules
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Check the fleet file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Discover apps in Azure, and pause apps
    #[command(subcommand)]
    Apps(AppsCommand),
    /// Pause and resume the apps under a policy
    #[command(subcommand)]
    Policies(PoliciesCommand),
    /// Show, retry or remove messages that the broker or a worker refused
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Open request budgets that Azure's answers closed
    #[command(subcommand)]
    Budgets(BudgetsCommand),
    /// Create, list and revoke API tokens, which log in to the console and the API
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Try channels, show what would be and what was sent, and silence notifications
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// Verify and export the audit, and sign checkpoints of it
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Check the store's rows, and remove those that cannot be read
    #[command(subcommand)]
    Store(StoreCommand),
    /// Show how a command is used, or with `global` the options of all commands
    #[command(after_help = "Examples:\n  holdfast help global\n  holdfast help runs retry")]
    Help(HelpArgs),
    /// Print the script that completes commands, options, and names of apps and policies
    #[command(after_help = "Examples:\n  source <(holdfast completions bash)\n  holdfast completions fish")]
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands
    #[command(after_help = "Example:\n  holdfast man --dir man1")]
    Man(ManArgs),
    /// Report a month: what apps were owed, what was done, proven and kept, and who restored and deleted
    #[command(
        after_help = "Examples:\n  holdfast report --month 2026-11 --to november.html --key file:audit.pem\n  holdfast report --month 2026-11 --policy gold --form csv"
    )]
    Report(ReportArgs),
    /// Create the store, or migrate it to this program's schema
    #[command(after_help = "Example:\n  holdfast migrate --store holdfast.sqlite")]
    Migrate(MigrateArgs),
    /// List, show and answer requests that a second person confirms, by a server
    #[command(subcommand)]
    Approvals(ApprovalsCommand),
    /// Log in to a server: read an API token from the standard input, try it, and keep it for the user
    #[command(after_help = "Example:\n  holdfast login --server https://holdfast.example")]
    Login,
    /// Remove the token for a server from this machine
    #[command(after_help = "Example:\n  holdfast logout --server https://holdfast.example")]
    Logout,
    /// Show who a server takes this user for, and what that login may do
    #[command(after_help = "Example:\n  holdfast whoami --server https://holdfast.example")]
    Whoami,
}

#[cfg(test)]
mod tests;
