//! The arguments of `restore` and `drill`.

use clap::Args;
use holdfast_control::restore::{
    self, Databases, DrillRequest, ManyRestores, ManyTargets, RestoreRequest, Wanted,
};
use holdfast_control::selector::Selector;
use holdfast_control::{Error, ErrorKind};
use holdfast_model::{BackupId, StorageName, Timestamp};

use super::selection::{AppsArgs, ChangeOptions};
use super::values::{backup_id, time};

/// `holdfast restore`
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// The apps whose backups are restored.
    #[command(flatten)]
    pub apps: AppsArgs,
    /// The backup.
    #[command(flatten)]
    pub which: WhichBackup,
    /// Where to.
    #[command(flatten)]
    pub to: Destination,
    /// The App Service plan that a new app goes into, by its ARM id [default: the app's own]
    #[arg(long, value_name = "ARM_ID", requires = "new_app")]
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
    #[arg(long, value_name = "NAME", group = "new_app")]
    pub to_new: Option<String>,
    /// Each app into a new app of this name, in which `{app}` stands for the name of the app
    #[arg(long, value_name = "PATTERN", group = "new_app")]
    pub to_app: Option<String>,
    /// Each app over itself: everything in it is replaced
    #[arg(long)]
    pub in_place: bool,
}

impl From<Destination> for restore::Destination {
    fn from(Destination { to, to_slot, to_new, .. }: Destination) -> Self {
        Self { to, to_slot, to_new }
    }
}

/// `holdfast drill`
#[derive(Debug, Clone, Args)]
pub struct DrillArgs {
    /// The apps whose backups are restored.
    #[command(flatten)]
    pub apps: AppsArgs,
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

/// Restores or drills: of one app by its name, or of all that are selected.
#[derive(Debug, Clone)]
pub enum Asked<One> {
    /// Of one app.
    One(One),
    /// Of each selected app.
    Many(Box<ManyRestores>),
}

impl RestoreArgs {
    /// What is asked for.
    pub fn asked(&self) -> Result<Asked<RestoreRequest>, Error> {
        let Destination { to_app, in_place, .. } = &self.to;
        match one(&self.apps) {
            Some(app) if to_app.is_none() && !in_place => Ok(Asked::One(self.request(app))),
            _ => Ok(Asked::Many(Box::new(self.many()?))),
        }
    }

    fn request(&self, app: &str) -> RestoreRequest {
        let args = self.clone();
        let databases =
            if args.ignore_databases { Databases::Ignore } else { Databases::Bring(args.databases) };
        RestoreRequest {
            app: app.to_owned(),
            wanted: args.which.into(),
            destination: args.to.into(),
            plan: args.plan,
            overwrite: args.overwrite,
            databases,
            ignore_conflicting_host_names: args.ignore_conflicting_host_names,
            storage: args.storage.as_deref().map(StorageName::new),
        }
    }

    fn many(&self) -> Result<ManyRestores, Error> {
        let Destination { to, to_slot, to_new, to_app, in_place } = &self.to;
        about_one_app(&[
            ("--backup", self.which.backup.is_some()),
            ("--blob", self.which.blob.is_some()),
            ("--to", to.is_some()),
            ("--to-new", to_new.is_some()),
        ])?;
        let to = match (to_slot, to_app) {
            (Some(slot), _) => ManyTargets::Slot(slot.clone()),
            (_, Some(pattern)) => ManyTargets::New(pattern.clone()),
            _ if *in_place => ManyTargets::InPlace,
            _ => {
                let what = "nothing says where these apps are restored to";
                let help = "give --in-place, --to-slot SLOT or --to-app '{app}-restored'";
                return Err(Error::new(ErrorKind::Invalid, what).help(help));
            }
        };
        Ok(ManyRestores {
            at: self.which.at,
            overwrite: self.overwrite || *in_place,
            ignore_databases: self.ignore_databases,
            ignore_conflicting_host_names: self.ignore_conflicting_host_names,
            plan: self.plan.clone(),
            databases: self.databases.clone(),
            storage: self.storage.as_deref().map(StorageName::new),
            ..ManyRestores::new(Selector::from(&self.apps), to)
        })
    }
}

impl DrillArgs {
    /// What is asked for.
    pub fn asked(&self) -> Result<Asked<DrillRequest>, Error> {
        let Self { backup, into, probe, .. } = self.clone();
        if let Some(app) = one(&self.apps) {
            return Ok(Asked::One(DrillRequest { app: app.to_owned(), backup, into, probe }));
        }
        about_one_app(&[("--backup", backup.is_some())])?;
        Ok(Asked::Many(Box::new(ManyRestores {
            into,
            probe,
            ..ManyRestores::new(Selector::from(&self.apps), ManyTargets::Scratch)
        })))
    }
}

/// The app, where one is named and nothing else is asked for.
fn one(apps: &AppsArgs) -> Option<&str> {
    let [app] = apps.apps.as_slice() else { return None };
    apps.has_names_alone().then_some(app)
}

/// Refuses options that have a meaning for one app alone.
pub(super) fn about_one_app(given: &[(&str, bool)]) -> Result<(), Error> {
    let Some((option, _)) = given.iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    let what = format!("{option} is about one app, and several are asked for");
    Err(Error::new(ErrorKind::Invalid, what).help(format!("name one app alone, or leave out {option}")))
}
