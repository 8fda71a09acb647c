//! A restore that is asked for.

use holdfast_model::{App, StorageName};

use super::choose::Wanted;
use super::databases::Databases;
use super::target::Aim;

/// A restore that is asked for.
#[derive(Debug)]
pub struct RestoreRequest {
    /// Whose backup.
    pub source: App,
    /// Which.
    pub wanted: Wanted,
    /// Where to.
    pub aim: Aim,
    /// The target, when it is an app of its own in the fleet: its policy and its databases.
    pub target: Option<App>,
    /// The plan of a new app; `None` for the source's own.
    pub plan: Option<String>,
    /// Whether an existing app may be replaced.
    pub overwrite: bool,
    /// What comes back of databases.
    pub databases: Databases,
    /// Leaves host names out that another app has.
    pub ignore_conflicting_host_names: bool,
    /// The storage, where the request names it.
    pub storage: Option<StorageName>,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a restore is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To bring the app back.
    Restore,
    /// To prove that a backup can be restored.
    Drill {
        /// The URL that must answer afterwards.
        probe: Option<String>,
    },
}
