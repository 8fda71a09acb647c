//! An operator: adds runs at random times, and is interrupted whenever its process crashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holdfast_arm::{Arm, RestoreBody};
use holdfast_control::cancel::{CancelRequest, cancel};
use holdfast_control::pause::{PauseRequest, ResumeRequest};
use holdfast_model::{
    App, AppId, CatalogEntry, Clock, Delete, NativeSchedule, NewRun, NewTask, OperatorAction, Policy,
    RefreshReason, RefreshSas, Restore, RunId, Task, Trigger,
};
use holdfast_scheduler::FleetSnapshot;
use holdfast_storage::{Need, Storage};
use holdfast_store::{CatalogFilter, RunFilter, Store};
use tokio_util::sync::CancellationToken;

use crate::drawn_fleet::weekly;
use crate::faults::pause;

/// The interfaces that the commands of an operator use.
pub(crate) struct Operator {
    pub store: Arc<dyn Store>,
    pub arm: Arc<dyn Arm>,
    pub storage: Arc<dyn Storage>,
    pub clock: Arc<dyn Clock>,
    pub fleet: Arc<FleetSnapshot>,
    pub faults_on: Arc<AtomicBool>,
    pub rng: fastrand::Rng,
}

/// `None` when a step failed. A real operator would see the error; the simulation ignores it.
type Done = Option<()>;

impl Operator {
    /// Performs a random action every 1 to 30 minutes while faults are on.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            pause(Duration::from_secs(self.rng.u64(60..1_800))).await;
            if self.faults_on.load(Ordering::Relaxed) {
                let _ = self.random_action().await;
            }
        }
    }

    async fn random_action(&mut self) -> Done {
        let apps: Vec<AppId> = self.fleet.apps.keys().cloned().collect();
        let app = self.fleet.apps[&apps[self.rng.usize(..apps.len())]].clone();
        match self.rng.u8(..13) {
            10 => self.cancel().await,
            11 => self.pause(&app).await,
            12 => self.resume(&app).await,
            0 => self.push_schedule(&app).await,
            1 => self.reveal(&app).await,
            2 | 3 => self.delete(&app).await,
            4 => self.hold(&app).await,
            5 => self.refresh(&app).await,
            6 => self.restore_blob(&app).await,
            _ => self.restore(&app).await,
        }
    }

    async fn backups(&self, app: &App) -> Option<Vec<CatalogEntry>> {
        let filter = CatalogFilter { app: Some(app.id.clone()), ..CatalogFilter::default() };
        self.store.catalog(&filter).await.ok()
    }

    async fn any_backup(&mut self, app: &App) -> Option<CatalogEntry> {
        let backups = self.backups(app).await?;
        self.any_of(backups)
    }

    fn any_of(&mut self, mut backups: Vec<CatalogEntry>) -> Option<CatalogEntry> {
        (!backups.is_empty()).then(|| backups.swap_remove(self.rng.usize(..backups.len())))
    }

    fn policy(&self, app: &App) -> &Policy {
        &self.fleet.policies[app.policy.as_ref().unwrap()]
    }

    async fn add(&mut self, app: &App, (owner, task): (&App, Task)) -> Done {
        let now = self.store.now().await.ok()?;
        let id = RunId::new(now, &mut self.rng);
        let policy_snapshot = self.policy(owner).policy_snapshot.clone();
        let actor = Some("ann".into());
        self.store
            .add_run(&NewRun::task(
                id,
                app,
                &policy_snapshot,
                NewTask { task, trigger: Trigger::Manual, actor },
                now,
            ))
            .await
            .ok()
    }

    async fn record(&mut self, app: &App, action: OperatorAction) -> Done {
        let now = self.store.now().await.ok()?;
        let id = RunId::new(now, &mut self.rng);
        let policy_snapshot = self.policy(app).policy_snapshot.clone();
        self.store
            .add_run(&NewRun::operator_action(id, app, &policy_snapshot, action, "ann".into(), now))
            .await
            .ok()
    }

    async fn push_schedule(&mut self, app: &App) -> Done {
        let (enabled, every) = (self.rng.bool(), self.rng.u32(1..8));
        let schedule = NativeSchedule { enabled, every, ..weekly() };
        let schedule = (self.rng.u8(..3) > 0).then_some(schedule);
        self.add(app, (app, Task::PushSchedule { schedule, databases: app.databases.clone(), renews: None }))
            .await
    }

    /// Cancels a random run, which succeeds only while it waits.
    async fn cancel(&mut self) -> Done {
        let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
        let mut runs = self.store.runs(&unfinished).await.ok()?;
        let run = (!runs.is_empty()).then(|| runs.swap_remove(self.rng.usize(..runs.len())))?.id;
        let request = CancelRequest { run, reason: "a mistake".into(), actor: "ann".into() };
        cancel(&*self.store, &request).await.ok().map(drop)
    }

    async fn pause(&mut self, app: &App) -> Done {
        let until = self.store.now().await.ok()? + Duration::from_mins(self.rng.u64(1..120));
        let (apps, reason, actor) = ([app.id.clone()].into(), "a migration".into(), "ann".into());
        let request = PauseRequest { apps, until, reason, actor };
        holdfast_control::pause::pause(&*self.store, &request, &mut self.rng).await.ok()
    }

    /// Ends a pause, which succeeds only while there is one.
    async fn resume(&mut self, app: &App) -> Done {
        let (apps, reason, actor) = ([app.id.clone()].into(), "migrated".into(), "ann".into());
        let request = ResumeRequest { apps, reason, actor };
        holdfast_control::pause::resume(&*self.store, &request, &mut self.rng).await.ok()
    }

    async fn reveal(&mut self, app: &App) -> Done {
        let backup = self.any_backup(app).await?.backup.id;
        self.record(app, OperatorAction::Revealed { backup }).await?;
        self.arm.backup_secrets(&app.id, backup, None).await.ok()?;
        Some(())
    }

    /// Deletes a backup, but never the last good one, because a manual deletion of that is granted.
    /// Without a good one it deletes only backups that do not count as recovery points.
    async fn delete(&mut self, app: &App) -> Done {
        let backups = self.backups(app).await?;
        let last_good = backups.iter().find(|entry| entry.good).map(|entry| entry.backup.id);
        // Chosen from the same listing: in a later one, another backup may be the last good one.
        let entry = self.any_of(backups)?;
        if last_good.map_or(!entry.is_counted_on(), |last_good| entry.backup.id == last_good) {
            return None;
        }
        let task = Task::Delete(Delete {
            backup: entry.backup.id,
            blob: entry.backup.blob,
            allow_last: false,
            rule: None,
        });
        self.add(app, (app, task)).await
    }

    async fn hold(&mut self, app: &App) -> Done {
        let entry = self.any_backup(app).await?;
        let (backup, reason) = (entry.backup.id, "an audit".to_owned());
        let held = OperatorAction::Held { blob: None, backup, reason: reason.clone() };
        let action = if entry.hold.is_some() { OperatorAction::Released { backup, reason } } else { held };
        self.record(app, action).await
    }

    async fn refresh(&mut self, app: &App) -> Done {
        let entry = self.any_backup(app).await?;
        let (backup, reason) = (entry.backup.id, RefreshReason::Asked);
        let task = Task::RefreshSas(RefreshSas { backup, reason, old: entry.sas });
        self.add(app, (app, task)).await
    }

    /// Restores into the app itself, into another app, or into a new one.
    async fn restore(&mut self, app: &App) -> Done {
        let entry = self.any_backup(app).await.filter(|entry| entry.good)?;
        let (target, new_in_plan) = match self.rng.u8(..3) {
            0 => (app.clone(), None),
            1 => (self.fleet.apps.values().next()?.clone(), None),
            _ => {
                let name = format!("new-{}", self.rng.u32(..));
                let (subscription, group) = (app.id.subscription().as_str(), app.id.resource_group());
                let id = AppId::new(subscription, group, &name, None);
                (App { id, ..app.clone() }, app.plan.clone())
            }
        };
        let restore = Restore {
            source: app.id.clone(),
            backup: Some(entry.backup.id),
            blob: entry.backup.blob,
            new_in_plan,
            databases: Vec::new(),
            ignore_databases: true,
            ignore_conflicting_host_names: true,
        };
        self.add(&target, (app, Task::Restore(restore))).await
    }

    /// Restores from a blob by name, after discovering its content.
    async fn restore_blob(&mut self, app: &App) -> Done {
        let entry = self.any_backup(app).await.filter(|entry| entry.good)?;
        let now = self.clock.now();
        let need = Need { now, until: now, replace: None, reason: None, probe: true };
        let grant = self.storage.grant(&entry.storage, &need).await.ok()?;
        let request = RestoreBody {
            storage_url: grant.url,
            blob: entry.backup.blob.clone(),
            target: app.id.clone(),
            overwrite: true,
            plan: None,
            databases: Vec::new(),
            ignore_databases: true,
            ignore_conflicting_host_names: true,
        };
        self.arm.discover(&app.id, &request).await.ok()?;
        let restore = Restore {
            source: app.id.clone(),
            backup: None,
            blob: entry.backup.blob,
            new_in_plan: None,
            databases: Vec::new(),
            ignore_databases: true,
            ignore_conflicting_host_names: true,
        };
        self.add(app, (app, Task::Restore(restore))).await
    }
}
