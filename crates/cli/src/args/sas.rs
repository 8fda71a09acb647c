//! The arguments of `sas`.

use clap::{ArgGroup, Args, Subcommand};
use holdfast_model::BackupId;

use super::values::backup_id;

/// `holdfast sas`
#[derive(Debug, Clone, Subcommand)]
pub enum SasCommand {
    /// Try the SAS of every storage, as a backup would need it
    #[command(after_help = "Examples:\n  holdfast sas check\n  holdfast sas check weu --output json")]
    Check(SasCheckArgs),
    /// Replace the SAS that Azure keeps with backups already taken
    #[command(
        after_help = "Examples:\n  holdfast sas refresh shop --all --wait\n  holdfast sas refresh shop --backup 458165"
    )]
    Refresh(SasRefreshArgs),
}

/// `holdfast sas check`
#[derive(Debug, Clone, Args)]
pub struct SasCheckArgs {
    /// Only these storages of the fleet file
    #[arg(value_name = "STORAGE")]
    pub storages: Vec<String>,
}

/// `holdfast sas refresh`
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub struct SasRefreshArgs {
    /// The ARM id or the short name, such as `shop` or `shop/staging`
    #[arg(value_name = "APP")]
    pub app: String,
    /// Of the backup of this number
    #[arg(long, group = "which", value_name = "ID", value_parser = backup_id, allow_negative_numbers = true)]
    pub backup: Option<BackupId>,
    /// Of all its backups that are still there
    #[arg(long, group = "which")]
    pub all: bool,
    /// Wait for the end, and fail unless each was replaced
    #[arg(long)]
    pub wait: bool,
}
