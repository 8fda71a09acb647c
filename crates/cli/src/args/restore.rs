//! The arguments of `restore` and `drill`.

use clap::Args;
use holdfast_control::restore::{self, Databases, RestoreRequest, Wanted};
use holdfast_model::{BackupId, StorageName, Timestamp};

use super::selection::ChangeOptions;
use super::values::{backup_id, time};

/// `holdfast restore`
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// The app whose backup is restored: its ARM id or short name, such as `shop` or `shop/staging`
    #[arg(value_name = "APP")]
    pub app: String,
    /// The backup.
    #[command(flatten)]
    pub which: WhichBackup,
    /// Where to.
    #[command(flatten)]
    pub to: Destination,
    /// The App Service plan that a new app goes into, by its ARM id [default: the app's own]
    #[arg(long, value_name = "ARM_ID", requires = "to_new")]
    pub plan: Option<String>,
    /// Replace everything in an app that exists
    #[arg(long, conflicts_with = "to_new")]
    pub overwrite: bool,
    /// The databases that are restored, which must be all that the backup holds
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "ignore_databases")]
    pub databases: Vec<String>,
    /// Leave databases as they are, even when the backup holds some
    #[arg(long)]
    pub ignore_databases: bool,
    /// Leave out host names that another app has now
    #[arg(long)]
    pub ignore_conflicting_host_names: bool,
    /// The storage that holds the backup, where the catalog does not say
    #[arg(long, value_name = "NAME")]
    pub storage: Option<String>,
    /// Confirmation and waiting.
    #[command(flatten)]
    pub options: ChangeOptions,
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
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
    /// A blob, even when Azure no longer lists its backup
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
    /// The app whose backup is restored: its ARM id or short name
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
    /// The newest good backup, which is the default
    #[arg(long)]
    pub latest: bool,
    /// The scratch app, by its ARM id or short name; everything in it is replaced [default: `drill.into` of the policy]
    #[arg(long, value_name = "SCRATCH_APP")]
    pub into: Option<String>,
    /// The URL that must answer afterwards [default: `drill.probe` of the policy]
    #[arg(long, value_name = "URL")]
    pub probe: Option<String>,
    /// Confirmation and waiting.
    #[command(flatten)]
    pub options: ChangeOptions,
}

impl From<RestoreArgs> for RestoreRequest {
    fn from(args: RestoreArgs) -> Self {
        let databases =
            if args.ignore_databases { Databases::Ignore } else { Databases::Bring(args.databases) };
        Self {
            app: args.app,
            wanted: args.which.into(),
            destination: args.to.into(),
            plan: args.plan,
            overwrite: args.overwrite,
            databases,
            ignore_conflicting_host_names: args.ignore_conflicting_host_names,
            storage: args.storage.as_deref().map(StorageName::new),
        }
    }
}
