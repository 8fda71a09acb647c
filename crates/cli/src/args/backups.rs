//! What the commands about kept backups take.

use clap::{Args, Subcommand};
use holdfast_model::BackupId;

/// `holdfast backups`
#[derive(Debug, Clone, Subcommand)]
pub enum BackupsCommand {
    /// List an app's backups: what Azure has beside what the catalog knows
    #[command(after_help = "Examples:\n  holdfast backups list shop\n  holdfast backups list shop --gone")]
    List(ListArgs),
    /// Show one backup
    #[command(
        after_help = "Examples:\n  holdfast backups show shop 458165\n  holdfast backups show shop 458165 --reveal --actor ann"
    )]
    Show(ShowArgs),
    /// Delete backups, after showing which
    #[command(
        after_help = "Examples:\n  holdfast backups delete shop 458165\n  holdfast backups delete shop 458165 458166 --yes --wait"
    )]
    Delete(DeleteArgs),
    /// Keep house over backups that somebody else took
    #[command(
        after_help = "Examples:\n  holdfast backups adopt shop 458165\n  holdfast backups adopt shop 458165 --storage weu"
    )]
    Adopt(AdoptArgs),
}

/// `holdfast backups list`
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// The ARM id or the short name, such as `shop` or `shop/staging`
    #[arg(value_name = "APP")]
    pub app: String,
    /// Also those known to be gone
    #[arg(long)]
    pub removal: bool,
}

/// `holdfast backups show`
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The ARM id or the short name
    #[arg(value_name = "APP")]
    pub app: String,
    /// Azure's number for the backup
    #[arg(value_name = "ID", value_parser = backup_id)]
    pub id: BackupId,
    /// Show the URL with the SAS that Azure keeps with it, a secret; the audit says who asked
    #[arg(long)]
    pub reveal: bool,
}

/// `holdfast backups delete`
#[derive(Debug, Clone, Args)]
pub struct DeleteArgs {
    /// The ARM id or the short name
    #[arg(value_name = "APP")]
    pub app: String,
    /// Azure's numbers for the backups
    #[arg(required = true, value_name = "ID", value_parser = backup_id)]
    pub ids: Vec<BackupId>,
    /// How it goes on.
    #[command(flatten)]
    pub going: Going,
    /// Also backups that Holdfast did not take
    #[arg(long)]
    pub foreign: bool,
    /// Also the only good one left, or where there is none the last partial one: after it the app cannot be brought back
    #[arg(long)]
    pub allow_last: bool,
    /// The storage in which foreign ones lie [default: the policy's]
    #[arg(long, value_name = "NAME", requires = "foreign")]
    pub storage: Option<String>,
}

/// `holdfast backups adopt`
#[derive(Debug, Clone, Args)]
pub struct AdoptArgs {
    /// The ARM id or the short name
    #[arg(value_name = "APP")]
    pub app: String,
    /// Azure's numbers for the backups
    #[arg(required = true, value_name = "ID", value_parser = backup_id)]
    pub ids: Vec<BackupId>,
    /// The storage in which they lie [default: the policy's]
    #[arg(long, value_name = "NAME")]
    pub storage: Option<String>,
}

/// `holdfast hold`
#[derive(Debug, Clone, Subcommand)]
pub enum HoldCommand {
    /// Keep a backup, whatever retention says and whoever asks
    #[command(after_help = "Example:\n  holdfast hold add shop --backup 458165 --reason lawsuit")]
    Add(HoldArgs),
    /// End a hold
    #[command(after_help = "Example:\n  holdfast hold remove shop --backup 458165 --reason settled")]
    Remove(HoldArgs),
    /// List what is held
    #[command(after_help = "Examples:\n  holdfast hold list\n  holdfast hold list shop --output json")]
    List {
        /// Of this app alone
        #[arg(value_name = "APP")]
        app: Option<String>,
    },
}

/// `holdfast hold add` and `holdfast hold remove`
#[derive(Debug, Clone, Args)]
pub struct HoldArgs {
    /// The ARM id or the short name
    #[arg(value_name = "APP")]
    pub app: String,
    /// Azure's number for the backup
    #[arg(long, value_name = "ID", value_parser = backup_id)]
    pub backup: BackupId,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: String,
}

/// Which apps: these, or all.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct AppsArgs {
    /// ARM ids or short names
    #[arg(value_name = "APP")]
    pub apps: Vec<String>,
    /// All that there are
    #[arg(long)]
    pub all: bool,
}

/// `holdfast retention`
#[derive(Debug, Clone, Args)]
pub struct RetentionArgs {
    /// Only this app: its ARM id or short name
    #[arg(value_name = "APP", conflicts_with = "policy")]
    pub app: Option<String>,
    /// Only apps of this policy
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
}

/// `holdfast native-schedule`
#[derive(Debug, Clone, Subcommand)]
pub enum NativeScheduleCommand {
    /// Set Azure's own schedule as the policy says; enabling one fires a backup at once
    #[command(
        after_help = "Examples:\n  holdfast native-schedule push shop\n  holdfast native-schedule push --all --yes --wait"
    )]
    Push(ChangeArgs),
    /// Show Azure's own schedules
    #[command(
        after_help = "Examples:\n  holdfast native-schedule show shop\n  holdfast native-schedule show --all"
    )]
    Show(AppsArgs),
    /// Hold Azure's own schedules against the policies, and fail when one differs
    #[command(after_help = "Example:\n  holdfast native-schedule drift --all --output json")]
    Drift(AppsArgs),
    /// Take Azure's own schedules away
    #[command(after_help = "Example:\n  holdfast native-schedule remove shop --yes --wait")]
    Remove(ChangeArgs),
}

/// `holdfast native-schedule push` and `holdfast native-schedule remove`
#[derive(Debug, Clone, Args)]
pub struct ChangeArgs {
    /// Which apps.
    #[command(flatten)]
    pub apps: AppsArgs,
    /// How it goes on.
    #[command(flatten)]
    pub going: Going,
}

/// How a command goes on that changes something at Azure.
#[derive(Debug, Clone, Copy, Args)]
pub struct Going {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Wait for the end, and fail unless all of it succeeded
    #[arg(long)]
    pub wait: bool,
}

/// Reads Azure's number for a backup.
pub fn backup_id(text: &str) -> Result<BackupId, String> {
    let expected =
        "expected Azure's number for a backup, such as 458165; `holdfast backups list APP` shows them";
    text.parse().map(BackupId).map_err(|_| expected.to_owned())
}
