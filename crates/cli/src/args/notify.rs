//! The arguments of `notify`.

use std::time::Duration;

use clap::{Args, Subcommand};
use holdfast_model::{PolicyName, RunId, TagFilter, parse_duration};

/// `holdfast notify`
#[derive(Debug, Clone, Subcommand)]
pub enum NotifyCommand {
    /// Send a test to a channel, and say what it answered
    #[command(after_help = "Example:\n  holdfast notify test ops")]
    Test {
        /// The channel, as in [channel.NAME]
        #[arg(value_name = "CHANNEL")]
        channel: String,
    },
    /// Show what each rule would tell, and to whom; nothing is sent
    #[command(after_help = "Example:\n  holdfast notify preview")]
    Preview,
    /// List notifications of the last 30 days, and what became of them
    #[command(after_help = "Example:\n  holdfast notify list --limit 20")]
    List {
        /// The greatest number
        #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Hold notifications back for a time; what is still open at its end is told then
    #[command(
        after_help = "Examples:\n  holdfast notify silence --for 2h --reason release\n  holdfast notify silence --tag team=shop --for 1d --reason move"
    )]
    Silence(SilenceArgs),
    /// List the silences in force
    #[command(after_help = "Example:\n  holdfast notify silences --output json")]
    Silences,
    /// End a silence before its time
    #[command(
        after_help = "Example:\n  holdfast notify unsilence 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10 --reason done"
    )]
    Unsilence {
        /// The silence
        #[arg(value_name = "ID")]
        silence: RunId,
        /// Why, for the audit
        #[arg(long, alias = "why", value_name = "TEXT")]
        reason: String,
    },
}

/// `holdfast notify silence`
#[derive(Debug, Clone, Args)]
pub struct SilenceArgs {
    /// What one rule tells, as in [notify.NAME] [default: all rules]
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// What is about one policy [default: all]
    #[arg(long, value_name = "POLICY", value_parser = |name: &str| Ok::<_, String>(PolicyName::new(name)))]
    pub policy: Option<PolicyName>,
    /// What is about one app alone [default: all]
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// What is about apps with a tag alone, such as `team=shop`; repeated, with all of them [default: all]
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<TagFilter>,
    /// For this long, at most 31d
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub span: Duration,
    /// Why, for the audit
    #[arg(long, alias = "why", value_name = "TEXT")]
    pub reason: String,
}
