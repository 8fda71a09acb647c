//! What `holdfast restore` and `holdfast drill` take.

use clap::Args;
use holdfast_control::restore::{self, Wanted};
use holdfast_model::{BackupId, Timestamp};

use super::backups::{Going, backup_id};

/// `holdfast restore`
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// Whose backup: the ARM id or the short name, such as `shop` or `shop/staging`
    #[arg(value_name = "APP")]
    pub app: String,
    /// Which of its backups.
    #[command(flatten)]
    pub which: WhichBackup,
    /// Where to.
    #[command(flatten)]
    pub to: Destination,
    /// The App Service plan that a new app goes into, by its ARM id [default: the app's own]
    #[arg(long, value_name = "ARM_ID", requires = "to_new")]
    pub plan: Option<String>,
    /// Replace what is there now
    #[arg(long, conflicts_with = "to_new")]
    pub overwrite: bool,
    /// The databases that come back: all that the backup holds
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "ignore_databases")]
    pub databases: Vec<String>,
    /// Leave databases as they are, although the backup holds some
    #[arg(long)]
    pub ignore_databases: bool,
    /// Leave host names out that another app has by now
    #[arg(long)]
    pub ignore_conflicting_host_names: bool,
    /// The storage that holds the backup, where nothing else tells
    #[arg(long, value_name = "NAME")]
    pub storage: Option<String>,
    /// How it goes on.
    #[command(flatten)]
    pub going: Going,
}

/// Which backup: one of these.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct WhichBackup {
    /// The backup of this number
    #[arg(long, value_name = "ID", value_parser = backup_id, allow_negative_numbers = true)]
    pub backup: Option<BackupId>,
    /// The newest good backup
    #[arg(long)]
    pub latest: bool,
    /// The newest good backup that is not newer than this (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub at: Option<Timestamp>,
    /// A blob that Azure's list no longer knows
    #[arg(long, value_name = "NAME")]
    pub blob: Option<String>,
}

impl From<WhichBackup> for Wanted {
    fn from(which: WhichBackup) -> Self {
        match which {
            WhichBackup { backup: Some(id), .. } => Self::Id(id),
            WhichBackup { at: Some(at), .. } => Self::At(at),
            WhichBackup { blob: Some(blob), .. } => Self::Blob(blob),
            WhichBackup { .. } => Self::Latest,
        }
    }
}

/// Where to: the app itself, or one of these.
#[derive(Debug, Clone, Default, Args)]
#[group(required = false, multiple = false)]
pub struct Destination {
    /// Into another app, by its ARM id or short name
    #[arg(long, value_name = "OTHER_APP")]
    pub to: Option<String>,
    /// Into a deployment slot of the app
    #[arg(long, value_name = "SLOT")]
    pub to_slot: Option<String>,
    /// Into a new app of this name, in the app's resource group
    #[arg(long, value_name = "NAME")]
    pub to_new: Option<String>,
}

impl From<Destination> for restore::Destination {
    fn from(Destination { to, to_slot, to_new }: Destination) -> Self {
        Self { to, to_slot, to_new }
    }
}

/// `holdfast drill`
#[derive(Debug, Clone, Args)]
pub struct DrillArgs {
    /// Whose backup: the ARM id or the short name
    #[arg(value_name = "APP")]
    pub app: String,
    /// The backup of this number
    #[arg(
        long,
        value_name = "ID",
        value_parser = backup_id,
        conflicts_with = "latest",
        allow_negative_numbers = true
    )]
    pub backup: Option<BackupId>,
    /// The newest good backup: so it is without `--backup` too
    #[arg(long)]
    pub latest: bool,
    /// The scratch app, by its ARM id or short name; everything in it is replaced [default: `drill.into` of the policy]
    #[arg(long, value_name = "SCRATCH_APP")]
    pub into: Option<String>,
    /// The URL that must answer afterwards [default: `drill.probe` of the policy]
    #[arg(long, value_name = "URL")]
    pub probe: Option<String>,
    /// How it goes on.
    #[command(flatten)]
    pub going: Going,
}
