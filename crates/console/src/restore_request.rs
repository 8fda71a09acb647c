//! Requests for restores and drills: read from a form or a document.

use holdfast_control::restore::{Databases, Destination, DrillRequest, RestoreRequest, Wanted};
use holdfast_model::{BackupId, StorageName, parse_timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::backup_request::SentForm;
use crate::failure::Failure;

/// A restore or a drill as a person or a program asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = NewRestore, example = json!({ "app": "shop", "to_slot": "staging", "overwrite": true, "confirm": "shop/staging" }))]
pub struct RestoreAsked {
    /// The app whose backup is restored, by its ARM id or short name.
    pub app: String,
    /// The backup's number; the newest good backup where neither this nor `at` is given.
    pub backup: Option<i64>,
    /// A point in time: the newest good backup that is not newer.
    pub at: Option<String>,
    /// A blob, even when Azure no longer lists its backup.
    pub blob: Option<String>,
    /// Another app, by its ARM id or short name; of a drill, the scratch app.
    pub to: Option<String>,
    /// A deployment slot of the app.
    pub to_slot: Option<String>,
    /// A new app of this name.
    pub to_new: Option<String>,
    /// The App Service plan of a new app, by its ARM id.
    pub plan: Option<String>,
    /// Whether an existing app may be replaced.
    pub overwrite: bool,
    /// The databases that are restored, which must be all that the backup holds; all of them where none is named.
    pub databases: Vec<String>,
    /// Whether databases are left as they are.
    pub ignore_databases: bool,
    /// Leaves out host names that another app has.
    pub ignore_conflicting_host_names: bool,
    /// The storage that holds the backup, where the catalog does not say.
    pub storage: Option<String>,
    /// The URL that must answer after a drill; that of the policy where none is given.
    pub probe: Option<String>,
    /// Why, for the second person who confirms it.
    pub reason: Option<String>,
    /// The name of the target, typed to confirm.
    pub confirm: String,
}

impl RestoreAsked {
    /// Reads a form.
    pub fn of_form(form: &SentForm) -> Result<Self, Failure> {
        let given = |name: &str| Some(form.value(name).trim().to_owned()).filter(|value| !value.is_empty());
        let name = given("name");
        let named = |target: &str| name.clone().filter(|_| form.value("target") == target);
        if matches!(form.value("target"), "slot" | "app" | "new") && name.is_none() {
            return Err(Failure::bad_query("The target needs a name."));
        }
        let backup = given("backup").map(|number| number.parse());
        Ok(Self {
            app: form.value("app").to_owned(),
            backup: backup
                .transpose()
                .map_err(|_| Failure::bad_query("The number of the backup cannot be read."))?,
            at: given("at"),
            to: named("app"),
            to_slot: named("slot"),
            to_new: named("new"),
            plan: given("plan"),
            // The page asks for the name of what is replaced.
            overwrite: true,
            ignore_databases: form.value("databases") != "bring",
            ignore_conflicting_host_names: form.value("hosts") == "ignore",
            reason: given("reason"),
            confirm: form.value("confirm").to_owned(),
            ..Self::default()
        })
    }

    /// The request of a restore.
    pub fn restore(&self) -> Result<RestoreRequest, Failure> {
        let wanted = match (self.backup, &self.at, &self.blob) {
            (Some(number), None, None) => Wanted::Id(BackupId(number)),
            (None, None, Some(blob)) => Wanted::Blob(blob.clone()),
            (None, Some(at), None) => Wanted::At(
                parse_timestamp(at).map_err(|_| Failure::bad_query("The point in time is not RFC 3339."))?,
            ),
            (None, None, None) => Wanted::Latest,
            _ => return Err(Failure::bad_query("Give one of a backup, a point in time and a blob.")),
        };
        let bring = || Databases::Bring(self.databases.clone());
        let Self { to, to_slot, to_new, .. } = self.clone();
        Ok(RestoreRequest {
            app: self.app.clone(),
            wanted,
            destination: Destination { to, to_slot, to_new },
            plan: self.plan.clone(),
            overwrite: self.overwrite,
            databases: if self.ignore_databases { Databases::Ignore } else { bring() },
            ignore_conflicting_host_names: self.ignore_conflicting_host_names,
            storage: self.storage.as_deref().map(StorageName::new),
        })
    }

    /// The request of a drill.
    pub fn drill(&self) -> DrillRequest {
        DrillRequest {
            app: self.app.clone(),
            backup: self.backup.map(BackupId),
            into: self.to.clone(),
            probe: self.probe.clone(),
        }
    }

    /// The same request for a chosen backup, as the fields of the next form.
    pub fn fields(&self, backup: Option<BackupId>) -> Vec<(&'static str, String)> {
        let (target, name) = match (&self.to, &self.to_slot, &self.to_new) {
            (Some(name), _, _) => ("app", name.clone()),
            (_, Some(name), _) => ("slot", name.clone()),
            (_, _, Some(name)) => ("new", name.clone()),
            _ => ("same", String::new()),
        };
        let number = backup.map(|id| id.0).or(self.backup);
        vec![
            ("app", self.app.clone()),
            ("backup", number.map(|number| number.to_string()).unwrap_or_default()),
            ("target", target.to_owned()),
            ("name", name),
            ("plan", self.plan.clone().unwrap_or_default()),
            ("databases", if self.ignore_databases { "" } else { "bring" }.to_owned()),
            ("hosts", if self.ignore_conflicting_host_names { "ignore" } else { "" }.to_owned()),
        ]
    }
}
