//! The arguments of `hold`.

use clap::{Args, Subcommand};
use holdfast_control::Error;
use holdfast_control::holds::many::ManyHolds;
use holdfast_model::{BackupId, Timestamp};

use super::restore::about_one_app;
use super::selection::AppsArgs;
use super::values::{backup_id, time};

/// `holdfast hold`
#[derive(Debug, Clone, Subcommand)]
pub enum HoldCommand {
    /// Keep a backup from being deleted, by retention or on demand
    #[command(
        after_help = "Examples:\n  holdfast hold add shop --backup 458165 --reason lawsuit\n  holdfast hold add --policy gold --latest --reason migration"
    )]
    Add(HoldArgs),
    /// Remove a hold, or all holds of apps
    #[command(
        after_help = "Examples:\n  holdfast hold remove shop --backup 458165 --reason settled\n  holdfast hold remove --policy gold --reason migrated"
    )]
    Remove(ReleaseArgs),
    /// List held backups
    #[command(after_help = "Examples:\n  holdfast hold list\n  holdfast hold list shop --output json")]
    List {
        /// Only of this app
        #[arg(value_name = "APP")]
        app: Option<String>,
    },
}

/// `holdfast hold add`
#[derive(Debug, Clone, Args)]
pub struct HoldArgs {
    /// The apps.
    #[command(flatten)]
    pub apps: AppsArgs,
    /// The backup of each.
    #[command(flatten)]
    pub which: HeldBackup,
    /// Why, and whether to ask.
    #[command(flatten)]
    pub options: HoldOptions,
}

/// Which backup is held: one of these.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct HeldBackup {
    /// Azure's number for the backup
    #[arg(long, value_name = "ID", value_parser = backup_id)]
    pub backup: Option<BackupId>,
    /// The newest good backup of each app
    #[arg(long)]
    pub latest: bool,
    /// The newest good backup of each app that is not newer than this (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
}

/// `holdfast hold remove`
#[derive(Debug, Clone, Args)]
pub struct ReleaseArgs {
    /// The apps.
    #[command(flatten)]
    pub apps: AppsArgs,
    /// Azure's number for the backup [default: all held backups of the apps]
    #[arg(long, value_name = "ID", value_parser = backup_id)]
    pub backup: Option<BackupId>,
    /// Why, and whether to ask.
    #[command(flatten)]
    pub options: HoldOptions,
}

/// Why a hold is added or removed, and whether the command asks.
#[derive(Debug, Clone, Args)]
pub struct HoldOptions {
    /// Why, for the audit
    #[arg(long, alias = "why", value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: String,
    /// Do not ask for confirmation, which apps that are named do not need
    #[arg(long)]
    pub yes: bool,
}

impl HoldArgs {
    /// The holds; `None` where a backup is named, which is of one app.
    pub fn many(&self) -> Result<Option<ManyHolds>, Error> {
        many(&self.apps, self.which.backup, self.which.at, false)
    }
}

impl ReleaseArgs {
    /// The same of holds that are removed.
    pub fn many(&self) -> Result<Option<ManyHolds>, Error> {
        many(&self.apps, self.backup, None, true)
    }
}

fn many(
    apps: &AppsArgs,
    backup: Option<BackupId>,
    at: Option<Timestamp>,
    release: bool,
) -> Result<Option<ManyHolds>, Error> {
    let is_one = apps.has_names_alone() && apps.apps.len() == 1;
    about_one_app(&[("--backup", backup.is_some() && !is_one)])?;
    Ok(backup.is_none().then(|| ManyHolds { select: apps.into(), at, release }))
}
