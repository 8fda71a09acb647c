//! The arguments of `backup`, `status`, `history` and `runs`.

use clap::{Args, Subcommand};
use holdfast_model::{RunId, RunKind};

use super::selection::{AppsArgs, ChangeOptions, MatchArgs};
use super::values::kind;

/// `holdfast backup`
#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// The apps.
    #[command(flatten)]
    pub apps: AppsArgs,
    /// Whether it asks and waits.
    #[command(flatten)]
    pub options: ChangeOptions,
    /// Use this policy for the named apps [default: each app's own]
    #[arg(long, value_name = "NAME", requires = "apps")]
    pub with_policy: Option<String>,
}

/// `holdfast status`
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Only apps that need attention
    #[arg(long)]
    pub problems: bool,
    /// Show it again every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub watch: Option<u64>,
}

/// `holdfast runs follow`
#[derive(Debug, Clone, Args)]
pub struct FollowArgs {
    /// Only these apps: ARM ids or short names
    #[arg(value_name = "APP")]
    pub apps: Vec<String>,
    /// Begin with this many events that have happened
    #[arg(long, default_value_t = 10, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub last: u32,
}

/// `holdfast history`
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// The ARM id or the short name, such as `shop` or `shop/staging`
    #[arg(value_name = "APP")]
    pub app: String,
    /// Show at most this many runs
    #[arg(long, default_value_t = 20, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Only runs of this kind: `backup`, `restore`, `drill`, `delete`, `refresh_sas`, `push_schedule` or `operator_action`
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<RunKind>,
}

/// `holdfast runs`
#[derive(Debug, Clone, Subcommand)]
pub enum RunsCommand {
    /// Show a run and its events
    #[command(after_help = "Example:\n  holdfast runs show 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10")]
    Show {
        /// The run's id
        #[arg(value_name = "ID")]
        id: RunId,
    },
    /// Show the events of runs as they happen, until Ctrl-C
    #[command(after_help = "Examples:\n  holdfast runs follow\n  holdfast runs follow shop wiki --last 50")]
    Follow(FollowArgs),
    /// Back up the apps of runs that did not succeed again
    #[command(
        after_help = "Examples:\n  holdfast runs retry --cause storage_refused\n  holdfast runs retry 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10 --wait"
    )]
    Retry(RetryArgs),
    /// End runs that wait for their turn or between attempts
    #[command(
        after_help = "Examples:\n  holdfast runs cancel 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10 --reason mistake\n  holdfast runs cancel --policy gold --reason maintenance --yes"
    )]
    Cancel(CancelArgs),
    /// Say that a run which did not succeed needs no more attention
    #[command(
        after_help = "Example:\n  holdfast runs acknowledge 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10 --note migration"
    )]
    Acknowledge {
        /// The run's id
        #[arg(value_name = "ID")]
        id: RunId,
        /// What to say about it, for the audit
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

/// Runs: named, or those of the apps that match.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true, args = [
    "runs", "all", "policy", "subscription", "resource_group", "tags", "patterns", "conditions", "cause",
])]
pub struct RunsArgs {
    /// Ids of runs
    #[arg(value_name = "ID", conflicts_with = "MatchArgs")]
    pub runs: Vec<RunId>,
    /// What their apps have in common.
    #[command(flatten)]
    pub matching: MatchArgs,
}

/// `holdfast runs retry`
#[derive(Debug, Clone, Args)]
pub struct RetryArgs {
    /// The runs, or the apps whose last unsuccessful run is retried.
    #[command(flatten)]
    pub runs: RunsArgs,
    /// Whether it asks and waits.
    #[command(flatten)]
    pub options: ChangeOptions,
}

/// `holdfast runs cancel`
#[derive(Debug, Clone, Args)]
pub struct CancelArgs {
    /// The runs, or the apps whose unfinished runs are cancelled.
    #[command(flatten)]
    pub runs: RunsArgs,
    /// Why, for the audit
    #[arg(long, alias = "why", value_name = "TEXT")]
    pub reason: String,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
}
