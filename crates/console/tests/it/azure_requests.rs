//! Requests that ask Azure for more than plans, and get no answer.

use async_trait::async_trait;
use holdfast_control::adoption::{Adopted, AdoptionRequest};
use holdfast_control::app_resolver::AppSelection;
use holdfast_control::approvals::Started;
use holdfast_control::deletion::{DeletionPlan, DeletionRequest, PlannedDeletion};
use holdfast_control::doctor::Finding;
use holdfast_control::native_schedule::{AppSchedule, ScheduleDrift, ShownSchedule};
use holdfast_control::operator_requests::{BackupRequests, FleetRequests, ScheduleChange};
use holdfast_control::retention::RetentionReport;
use holdfast_control::revisions::{Change, Proposal};
use holdfast_control::sas::CheckedStorage;
use holdfast_control::schedule_preview::{PreviewRange, SchedulePreview};
use holdfast_control::{AddedRuns, EffectivePolicy, Error, ErrorKind, Inventory};
use holdfast_model::{Actor, App, AppId, BackupId, NativeSchedule, PolicyName, PolicySnapshot, StorageName};
use holdfast_store::CatalogFilter;
use secrecy::SecretString;

use crate::azure::FakeAzure;

fn away<T>() -> Result<T, Error> {
    Err(Error::new(ErrorKind::Azure, "Azure is away"))
}

#[async_trait]
impl BackupRequests for FakeAzure {
    async fn inventory(&self, _: &Actor, _: &str) -> Result<Inventory, Error> {
        away()
    }

    async fn adopt(&self, _: &Actor, _: &AdoptionRequest, _: fastrand::Rng) -> Result<Adopted, Error> {
        away()
    }

    async fn reveal(&self, _: &Actor, _: &str, _: BackupId, _: fastrand::Rng) -> Result<SecretString, Error> {
        Ok("https://bkpweu01.blob.core.windows.net/backups?sig=c2VjcmV0".to_owned().into())
    }

    async fn plan_deletion(&self, _: &Actor, request: &DeletionRequest) -> Result<DeletionPlan, Error> {
        let id: AppId = request.app.parse().unwrap();
        let filter = CatalogFilter { app: Some(id.clone()), ..CatalogFilter::default() };
        let mut entries = self.store.catalog(&filter).await?;
        entries.retain(|entry| request.backups.contains(&entry.backup.id));
        let planned = entries.into_iter().map(|entry| PlannedDeletion {
            backup: entry.backup,
            policy_snapshot: PolicySnapshot::new(StorageName::new("weu"), "bkpweu01"),
            is_foreign: false,
        });
        let now = self.store.now().await?;
        Ok(DeletionPlan {
            app: App::new(id),
            now,
            backups: planned.collect(),
            newest_good: None,
            allow_last: request.allowed.last,
        })
    }

    async fn delete(&self, _: &Actor, _: &DeletionPlan, _: fastrand::Rng) -> Result<Started, Error> {
        Ok(Started::Runs(AddedRuns { ids: Vec::new(), under_way: 1 }))
    }

    async fn refresh_sas(
        &self,
        _: &Actor,
        _: &str,
        _: Option<BackupId>,
        _: fastrand::Rng,
    ) -> Result<AddedRuns, Error> {
        away()
    }
}

#[async_trait]
impl FleetRequests for FakeAzure {
    async fn retention(&self, _: Option<&str>, _: Option<&PolicyName>) -> Result<RetentionReport, Error> {
        Ok(RetentionReport { now: self.store.now().await?, apps: Vec::new() })
    }

    async fn schedules(
        &self,
        _: Option<&str>,
        _: Option<&PolicyName>,
        _: PreviewRange,
    ) -> Result<Vec<SchedulePreview>, Error> {
        Ok(Vec::new())
    }

    async fn propose_revision(&self, change: Change) -> Result<Proposal, Error> {
        change.propose(&*self.store, None).await
    }

    async fn policies(&self, _: Option<&str>) -> Result<Vec<EffectivePolicy>, Error> {
        Ok(Vec::new())
    }

    async fn check_storages(&self, _: &[StorageName]) -> Result<Vec<CheckedStorage>, Error> {
        Ok(Vec::new())
    }

    async fn check_app(&self, _: &str) -> Result<Vec<Finding>, Error> {
        Ok(Vec::new())
    }

    async fn native_schedules(&self, _: &Actor, _: &AppSelection) -> Result<Vec<ShownSchedule>, Error> {
        away()
    }

    async fn drift(
        &self,
        _: &Actor,
        _: &AppSelection,
        _: fastrand::Rng,
    ) -> Result<Vec<ScheduleDrift>, Error> {
        away()
    }

    async fn plan_schedules(
        &self,
        _: &Actor,
        _: ScheduleChange,
        apps: &AppSelection,
    ) -> Result<Vec<AppSchedule>, Error> {
        let AppSelection::Named(names) = apps else { return away() };
        let planned = |name: &String| AppSchedule {
            app: App::new(name.parse().unwrap()),
            schedule: NativeSchedule::days(7),
        };
        Ok(names.iter().map(planned).collect())
    }

    async fn change_schedules(
        &self,
        _: &Actor,
        _: ScheduleChange,
        _: &[AppSchedule],
        _: fastrand::Rng,
    ) -> Result<AddedRuns, Error> {
        Ok(AddedRuns { ids: Vec::new(), under_way: 0 })
    }
}
