//! The arguments of `backups` and `retention`.

use clap::{Args, Subcommand};
use holdfast_model::BackupId;

use super::selection::ChangeOptions;
use super::values::backup_id;

/// `holdfast backups`
#[derive(Debug, Clone, Subcommand)]
pub enum BackupsCommand {
    /// List an app's backups, from Azure and from the catalog
    #[command(after_help = "Examples:\n  holdfast backups list shop\n  holdfast backups list shop --removed")]
    List(ListArgs),
    /// Show one backup
    #[command(
        after_help = "Examples:\n  holdfast backups show shop 458165\n  holdfast backups show shop 458165 --reveal --actor ann"
    )]
    Show(ShowArgs),
    /// Delete backups, after a confirmation
    #[command(
        after_help = "Examples:\n  holdfast backups delete shop 458165\n  holdfast backups delete shop 458165 458166 --yes --wait"
    )]
    Delete(DeleteArgs),
    /// Put backups that others took under retention
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
    /// Also backups that are known to be removed
    #[arg(long)]
    pub removed: bool,
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
    /// Confirmation and waiting.
    #[command(flatten)]
    pub options: ChangeOptions,
    /// Also backups that Holdfast did not take
    #[arg(long)]
    pub foreign: bool,
    /// Also the only good one left, or where there is none the last partial one: the app cannot be restored afterwards
    #[arg(long)]
    pub allow_last: bool,
    /// The storage that holds the foreign ones [default: the policy's]
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
    /// The storage that holds them [default: the policy's]
    #[arg(long, value_name = "NAME")]
    pub storage: Option<String>,
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
