//! The arguments of `hold`.

use clap::{Args, Subcommand};
use holdfast_model::BackupId;

use super::values::backup_id;

/// `holdfast hold`
#[derive(Debug, Clone, Subcommand)]
pub enum HoldCommand {
    /// Keep a backup from being deleted, by retention or on demand
    #[command(after_help = "Example:\n  holdfast hold add shop --backup 458165 --reason lawsuit")]
    Add(HoldArgs),
    /// Remove a hold
    #[command(after_help = "Example:\n  holdfast hold remove shop --backup 458165 --reason settled")]
    Remove(HoldArgs),
    /// List held backups
    #[command(after_help = "Examples:\n  holdfast hold list\n  holdfast hold list shop --output json")]
    List {
        /// Only of this app
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
