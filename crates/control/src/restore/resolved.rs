//! A requested restore, with its names resolved to apps.

use holdfast_model::{App, StorageName};

use super::choose::Wanted;
use super::databases::Databases;
use super::target::Aim;

/// A requested restore or drill, with its names resolved to apps.
#[derive(Debug)]
pub(super) struct ResolvedRestore {
    /// The app whose backup is restored.
    pub source: App,
    /// The backup.
    pub wanted: Wanted,
    /// Where it goes.
    pub aim: Aim,
    /// The target, when it is an app of the fleet: its policy and its databases.
    pub target: Option<App>,
    /// The plan of a new app; `None` for the source's own.
    pub plan: Option<String>,
    /// Whether an existing app may be replaced.
    pub overwrite: bool,
    /// What is restored of databases.
    pub databases: Databases,
    /// Leaves out host names that another app has.
    pub ignore_conflicting_host_names: bool,
    /// The storage that holds the backup, where the request names it.
    pub storage: Option<StorageName>,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a restore is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To restore the app.
    Restore,
    /// To prove that a backup can be restored.
    Drill {
        /// The URL that must answer afterwards.
        probe: Option<String>,
    },
}
