//! Requests that add runs on a server: planned, and started.

use std::collections::BTreeSet;

use holdfast_control::app_resolver::AppSelection;
use holdfast_control::approvals::ApprovalView;
use holdfast_control::deletion::{Allowed, DeletionRequest, PlannedDeletions};
use holdfast_control::native_schedule::AppSchedule;
use holdfast_control::restore::{Databases, Destination, DrillRequest, RestorePlan, RestoreRequest, Wanted};
use holdfast_control::views::actions::{BackupPreview, BackupsStarted};
use holdfast_control::{AddedRuns, Error};
use holdfast_model::{
    App, AppId, BackupId, NativeSchedule, PolicyName, RunId, StorageName, Timestamp, format_timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::acts::{Done, SomeApps};
use crate::reads::All;
use crate::server::Server;

/// What became of a request for runs.
#[derive(Debug)]
pub enum Started {
    /// Its runs were added.
    Runs(AddedRuns),
    /// A second person was asked.
    Asked(Box<ApprovalView>),
}

/// The apps of a request for backups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupsOf {
    /// These apps.
    Apps(BTreeSet<AppId>),
    /// The apps of these runs, which did not succeed.
    Runs(BTreeSet<RunId>),
}

/// What a request for backups will do.
#[derive(Debug, Deserialize)]
pub struct PlannedBackups {
    /// The store's time.
    pub as_of: Timestamp,
    /// What is backed up, what is left out, and what that costs.
    #[serde(flatten)]
    pub preview: BackupPreview,
}

/// What a restore or a drill will do.
#[derive(Debug, Deserialize)]
pub struct PlannedRestore {
    /// The store's time.
    pub as_of: Timestamp,
    /// The plan.
    #[serde(flatten)]
    pub plan: RestorePlan,
}

/// A restore or a drill as the API asks for it.
#[derive(Default, Serialize)]
struct RestoreAsked<'a> {
    app: &'a str,
    backup: Option<BackupId>,
    at: Option<String>,
    blob: Option<&'a str>,
    to: Option<&'a str>,
    to_slot: Option<&'a str>,
    to_new: Option<&'a str>,
    plan: Option<&'a str>,
    overwrite: bool,
    databases: &'a [String],
    ignore_databases: bool,
    ignore_conflicting_host_names: bool,
    storage: Option<&'a str>,
    probe: Option<&'a str>,
    confirm: &'a str,
}

#[derive(Deserialize)]
struct PlannedSchedule {
    app: AppId,
    schedule: NativeSchedule,
}

impl<'a> From<&'a RestoreRequest> for RestoreAsked<'a> {
    fn from(request: &'a RestoreRequest) -> Self {
        let RestoreRequest { wanted, destination, databases, .. } = request;
        let Destination { to, to_slot, to_new } = destination;
        let (mut backup, mut at, mut blob) = (None, None, None);
        match wanted {
            Wanted::Id(id) => backup = Some(*id),
            Wanted::Latest => {}
            Wanted::At(time) => at = Some(format_timestamp(*time)),
            Wanted::Blob(name) => blob = Some(name.as_str()),
        }
        Self {
            app: &request.app,
            backup,
            at,
            blob,
            to: to.as_deref(),
            to_slot: to_slot.as_deref(),
            to_new: to_new.as_deref(),
            plan: request.plan.as_deref(),
            overwrite: request.overwrite,
            databases: match databases {
                Databases::Bring(names) => names,
                Databases::Ignore => &[],
            },
            ignore_databases: *databases == Databases::Ignore,
            ignore_conflicting_host_names: request.ignore_conflicting_host_names,
            storage: request.storage.as_ref().map(StorageName::as_str),
            ..Self::default()
        }
    }
}

impl<'a> From<&'a DrillRequest> for RestoreAsked<'a> {
    fn from(DrillRequest { app, backup, into, probe }: &'a DrillRequest) -> Self {
        let (to, probe) = (into.as_deref(), probe.as_deref());
        Self { app, backup: *backup, to, probe, ..Self::default() }
    }
}

impl Server {
    /// What backing up apps will do.
    pub async fn plan_backups(&self, of: &BackupsOf) -> Result<PlannedBackups, Error> {
        self.post(&["backups", "plan"], of).await
    }

    /// Backs up apps, as far as they can be.
    pub async fn back_up(&self, of: &BackupsOf) -> Result<Started, Error> {
        let path: &[&str] = if matches!(of, BackupsOf::Runs(_)) { &["runs", "retry"] } else { &["backups"] };
        let BackupsStarted { runs, .. } = self.act(path, of).await?;
        Ok(Started::Runs(AddedRuns { ids: runs, under_way: 0 }))
    }

    /// Backs up all of the named apps, or none of them.
    pub async fn back_up_named(
        &self,
        apps: &[String],
        policy: Option<&PolicyName>,
    ) -> Result<Started, Error> {
        self.start(&["backups", "named"], &json!({ "apps": apps, "policy": policy })).await
    }

    /// Plans a restore.
    pub async fn plan_restore(&self, request: &RestoreRequest) -> Result<PlannedRestore, Error> {
        self.post(&["restores", "plan"], &RestoreAsked::from(request)).await
    }

    /// Restores what is planned where `confirm` is the name of its target.
    pub async fn restore(&self, request: &RestoreRequest, confirm: &str) -> Result<Started, Error> {
        self.start(&["restores"], &RestoreAsked { confirm, ..request.into() }).await
    }

    /// Plans a drill.
    pub async fn plan_drill(&self, request: &DrillRequest) -> Result<PlannedRestore, Error> {
        self.post(&["drills", "plan"], &RestoreAsked::from(request)).await
    }

    /// Drills what is planned where `confirm` is the name of the scratch app.
    pub async fn drill(&self, request: &DrillRequest, confirm: &str) -> Result<Started, Error> {
        self.start(&["drills"], &RestoreAsked { confirm, ..request.into() }).await
    }

    /// Plans a deletion.
    pub async fn plan_deletion(&self, request: &DeletionRequest) -> Result<PlannedDeletions, Error> {
        self.post(&["deletions", "plan"], &deletion(request, "")).await
    }

    /// Deletes what is planned where `confirm` is the short name of the app.
    pub async fn delete(&self, request: &DeletionRequest, confirm: &str) -> Result<Started, Error> {
        self.start(&["deletions"], &deletion(request, confirm)).await
    }

    /// Replaces the SAS that Azure keeps with a backup, or with all of the app.
    pub async fn refresh_sas(&self, app: &str, backup: Option<BackupId>) -> Result<Started, Error> {
        self.start(&["sas", "refresh"], &json!({ "app": app, "backup": backup })).await
    }

    /// Plans that Azure's own schedules are set as the policies say, or removed.
    pub async fn plan_schedules(&self, apps: &AppSelection, remove: bool) -> Result<Vec<AppSchedule>, Error> {
        let body = schedules(apps, remove, None);
        let all: All<PlannedSchedule> = self.post(&["native-schedules", "plan"], &body).await?;
        let planned = |of: PlannedSchedule| AppSchedule { app: App::new(of.app), schedule: of.schedule };
        Ok(all.value.into_iter().map(planned).collect())
    }

    /// Does what is planned where `confirm` is the number of its apps.
    pub async fn change_schedules(
        &self,
        apps: &AppSelection,
        remove: bool,
        confirm: usize,
    ) -> Result<Started, Error> {
        self.start(&["native-schedules"], &schedules(apps, remove, Some(confirm))).await
    }

    pub(crate) async fn start(&self, path: &[&str], body: &impl Serialize) -> Result<Started, Error> {
        let Done { run, approval, mut runs, under_way, .. } = self.act(path, body).await?;
        if let Some(id) = approval.filter(|_| run.is_none()) {
            return Ok(Started::Asked(Box::new(self.approval(id).await?)));
        }
        if runs.is_empty() {
            runs.extend(run);
        }
        Ok(Started::Runs(AddedRuns { ids: runs, under_way }))
    }
}

fn deletion(request: &DeletionRequest, confirm: &str) -> Value {
    let DeletionRequest { app, backups, allowed: Allowed { foreign, last }, storage } = request;
    json!({
        "app": app, "backups": backups, "foreign": foreign, "allow_last": last, "storage": storage, "confirm": confirm,
    })
}

fn schedules(apps: &AppSelection, remove: bool, confirm: Option<usize>) -> Value {
    let SomeApps { apps, all } = apps.into();
    json!({ "apps": apps, "all": all, "remove": remove, "confirm": confirm })
}
