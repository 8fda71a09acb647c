//! The arguments of the commands about the fleet file: `schedule`, `config` and `apps`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use holdfast_model::{TagFilter, Timestamp};

use super::selection::AppsArgs;
use super::values::time;

/// `holdfast schedule`
#[derive(Debug, Clone, Subcommand)]
pub enum ScheduleCommand {
    /// Show when apps are due next, with their offsets in the spread and across clock changes
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
    /// Only this policy, at its cron times without an app's offset in the spread
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Number of times for each
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub count: u32,
    /// Start after this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<Timestamp>,
}

/// `holdfast check`
#[derive(Debug, Clone, Args)]
pub struct FreshnessArgs {
    /// Only this app: its ARM id or short name
    #[arg(value_name = "APP", conflicts_with_all = ["policy", "tags"])]
    pub app: Option<String>,
    /// Only the apps of this policy
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Only apps with this tag, such as `team=shop`, or `team` with any value; of several, an app has all
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<TagFilter>,
    /// Print metrics in the text format of OpenMetrics
    #[arg(long)]
    pub open_metrics: bool,
}

/// `holdfast plan`
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Number of hours
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=744))]
    pub hours: u32,
    /// Start at this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<Timestamp>,
    /// Take the fleet to have this many apps with a schedule, by repeating or leaving out apps
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub apps: Option<u32>,
}

/// `holdfast config`
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Check the fleet file and print all its errors and warnings
    #[command(
        after_help = "Examples:\n  holdfast config check\n  holdfast config check --no-secrets --output json\n  holdfast config check --strict"
    )]
    Check(CheckArgs),
    /// Show the values of policies as they apply, each with the section and the line that say it
    #[command(after_help = "Examples:\n  holdfast config show\n  holdfast config show --effective shop")]
    Show(EffectiveArgs),
    /// Format the fleet file and those that it includes; comments and the order of keys stay
    #[command(
        after_help = "Examples:\n  holdfast config fmt\n  holdfast config fmt --check\n  holdfast config fmt new.toml"
    )]
    Fmt(FmtArgs),
    /// Print the JSON Schema of the fleet file, for editors
    #[command(after_help = "Example:\n  holdfast config schema")]
    Schema,
}

/// `holdfast config check`
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Do not read secrets, as on a machine that has none
    #[arg(long)]
    pub no_secrets: bool,
    /// End with 2 for warnings too
    #[arg(long)]
    pub strict: bool,
}

/// `holdfast config fmt`
#[derive(Debug, Clone, Args)]
pub struct FmtArgs {
    /// The file, or a folder of files [default: --fleet]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Write nothing, and end with 1 if a file is not formatted
    #[arg(long)]
    pub check: bool,
}

/// `holdfast config show`
#[derive(Debug, Clone, Args)]
pub struct EffectiveArgs {
    /// Only the policy of this app: its ARM id or short name
    #[arg(long, value_name = "APP")]
    pub effective: Option<String>,
}

/// `holdfast apps`
#[derive(Debug, Clone, Subcommand)]
pub enum AppsCommand {
    /// Ask Azure what each `[[discover]]` rule finds, and which apps are in no policy
    #[command(after_help = "Examples:\n  holdfast apps discover\n  holdfast apps discover --output json")]
    Discover(DiscoverArgs),
    /// Suspend the schedule, the retention and the drills of apps for a time
    #[command(
        after_help = "Examples:\n  holdfast apps pause shop --for 8h --reason migration\n  holdfast apps pause --match shop-* --until 2026-12-01T06:00:00Z --reason release --yes"
    )]
    Pause(PauseArgs),
    /// End the pauses of apps
    #[command(after_help = "Example:\n  holdfast apps resume shop --reason migrated")]
    Resume(ResumeArgs),
}

/// `holdfast apps pause`
#[derive(Debug, Clone, Args)]
pub struct PauseArgs {
    /// The apps.
    #[command(flatten)]
    pub apps: AppsArgs,
    /// How long, and why.
    #[command(flatten)]
    pub terms: PauseTerms,
}

/// How long a pause lasts, why, and whether the command asks.
#[derive(Debug, Clone, Args)]
pub struct PauseTerms {
    /// For this long, such as 8h or 3d; a year at most
    #[arg(long = "for", value_name = "DURATION", value_parser = holdfast_model::parse_duration, required_unless_present = "until", conflicts_with = "until")]
    pub span: Option<Duration>,
    /// Until this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
    /// Why, for the audit
    #[arg(long, alias = "why", value_name = "TEXT")]
    pub reason: String,
    /// Do not ask for confirmation, which apps that are named do not need
    #[arg(long)]
    pub yes: bool,
}

impl PauseTerms {
    /// When the pause ends.
    pub fn end(&self, now: Timestamp) -> Timestamp {
        let after = self.span.and_then(|span| chrono::TimeDelta::from_std(span).ok());
        // Longer than the calendar is longer than a pause may be.
        self.until.or_else(|| now.checked_add_signed(after?)).unwrap_or(Timestamp::MAX_UTC)
    }
}

/// `holdfast apps resume`
#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// The apps.
    #[command(flatten)]
    pub apps: AppsArgs,
    /// Why, for the audit
    #[arg(long, alias = "why", value_name = "TEXT")]
    pub reason: String,
    /// Do not ask for confirmation, which apps that are named do not need
    #[arg(long)]
    pub yes: bool,
}

/// `holdfast apps discover`
#[derive(Debug, Clone, Args)]
pub struct DiscoverArgs {
    /// Only apps in no policy
    #[arg(long)]
    pub unprotected: bool,
}
