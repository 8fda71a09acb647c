//! The arguments of `backup`, `status`, `history` and `runs`.

use clap::{Args, Subcommand};
use holdfast_model::{RunId, RunKind};

use super::values::kind;

/// `holdfast backup`
#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// ARM ids or short names, such as `shop` or `shop/staging`
    #[arg(required = true, value_name = "APP")]
    pub apps: Vec<String>,
    /// Wait for the end, and fail unless every backup succeeds
    #[arg(long)]
    pub wait: bool,
    /// Use this policy [default: the app's own]
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
}

/// `holdfast status`
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Only apps that need attention
    #[arg(long)]
    pub problems: bool,
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
}
