//! Requests for restores and drills of many apps.

use holdfast_config::is_probe;
use holdfast_model::{App, RunKind, StorageName, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::restore::choose::Wanted;
use crate::restore::databases::Databases;
use crate::restore::resolved::{Purpose, ResolvedRestore};
use crate::restore::target::Aim;
use crate::selector::Selector;
use crate::{Error, ErrorKind};

/// Apps of one request, at most: each costs a few requests to Azure, and all are added in one transaction.
pub const APPS_MAX: usize = 500;

/// What stands for the name of the app in the name of a new one.
pub(super) const APP: &str = "{app}";

/// Backups of many apps that are restored, each into a target of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "select": { "policies": ["gold"] }, "to": { "new": "{app}-restored" } }))]
pub struct ManyRestores {
    /// The apps.
    pub select: Selector,
    /// A point in time: the newest good backup of each app that is not newer; the newest good one where none is given.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Where they go.
    pub to: ManyTargets,
    /// Whether existing apps and slots may be replaced.
    #[serde(default)]
    pub overwrite: bool,
    /// Whether databases are left as they are.
    #[serde(default)]
    pub ignore_databases: bool,
    /// Leaves out host names that another app has.
    #[serde(default)]
    pub ignore_conflicting_host_names: bool,
    /// The App Service plan that new apps go into, by its ARM id; that of each app where none is given.
    #[serde(default)]
    pub plan: Option<String>,
    /// The databases that are restored, which must be all that each backup holds; all of them where none is named.
    #[serde(default)]
    pub databases: Vec<String>,
    /// The storage that holds the backups, where the catalog does not say.
    #[serde(default)]
    pub storage: Option<StorageName>,
    /// The scratch app of all drills, by its ARM id or short name; that of each policy where none is given.
    #[serde(default)]
    pub into: Option<String>,
    /// The URL that must answer after each drill; that of each policy where none is given.
    #[serde(default)]
    pub probe: Option<String>,
}

/// Where the backups of many apps go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ManyTargets {
    /// Each over its app.
    InPlace,
    /// Each into the deployment slot of its app with this name.
    Slot(String),
    /// Each into a new app of this name, in which `{app}` stands for the name of its app.
    New(String),
    /// Each into the scratch app of its policy: a drill.
    Scratch,
}

impl ManyRestores {
    /// Restores or drills of the newest good backups, which replace nothing that exists.
    pub fn new(select: Selector, to: ManyTargets) -> Self {
        Self {
            select,
            at: None,
            to,
            overwrite: false,
            ignore_databases: false,
            ignore_conflicting_host_names: false,
            plan: None,
            databases: Vec::new(),
            storage: None,
            into: None,
            probe: None,
        }
    }

    /// Restores or drills.
    pub fn kind(&self) -> RunKind {
        if self.to == ManyTargets::Scratch { RunKind::Drill } else { RunKind::Restore }
    }

    /// Refuses what would be refused for every app.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |what: String, help: &str| Err(Error::new(ErrorKind::Invalid, what).help(help));
        if let Some((what, help)) = self.misplaced() {
            return wrong(what.to_owned(), help);
        }
        if let Some(Err(why)) = self.probe.as_deref().map(is_probe) {
            return wrong(format!("the URL of the probe: {why}"), "give an address by http or https");
        }
        match &self.to {
            ManyTargets::InPlace | ManyTargets::Slot(_) if !self.overwrite => {
                let what = "these restores replace everything in apps that exist".to_owned();
                wrong(what, "give --overwrite to replace them; --to-app '{app}-restored' makes new apps")
            }
            ManyTargets::New(pattern) if pattern.replace(APP, "").contains(['{', '}']) => wrong(
                format!("`{pattern}` has a placeholder that means nothing"),
                "only `{app}` has a meaning",
            ),
            _ => Ok(()),
        }
    }

    /// What is given and has no meaning beside the rest, and what to do.
    fn misplaced(&self) -> Option<(&'static str, &'static str)> {
        let (is_drill, is_new) = (self.kind() == RunKind::Drill, matches!(self.to, ManyTargets::New(_)));
        if self.plan.is_some() && !is_new {
            return Some(("an App Service plan is given, and no app is created", "leave out the plan"));
        }
        if is_drill && (!self.databases.is_empty() || self.storage.is_some()) {
            return Some(("drills take no databases and no storage", "leave them out"));
        }
        if !is_drill && (self.into.is_some() || self.probe.is_some()) {
            return Some(("a scratch app and a probe are for drills", "leave them out"));
        }
        if self.ignore_databases && !self.databases.is_empty() {
            return Some(("databases are named and left as they are", "give one of the two"));
        }
        None
    }

    /// The backup that each app gets back.
    pub(super) fn wanted(&self) -> Wanted {
        self.at.map_or(Wanted::Latest, Wanted::At)
    }

    /// The restore of one app; `target` is the app of the fleet that is replaced.
    pub(super) fn resolved(&self, source: App, aim: Aim, target: Option<App>) -> ResolvedRestore {
        ResolvedRestore {
            source,
            wanted: self.wanted(),
            aim,
            target,
            plan: self.plan.clone(),
            overwrite: self.overwrite,
            databases: if self.ignore_databases {
                Databases::Ignore
            } else {
                Databases::Bring(self.databases.clone())
            },
            ignore_conflicting_host_names: self.ignore_conflicting_host_names,
            storage: self.storage.clone(),
            purpose: Purpose::Restore,
        }
    }
}
