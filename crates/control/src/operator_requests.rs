//! Requests of people that need the fleet file or Azure, for programs that serve several people: each names who asks.

mod audit;
mod backups;
mod fleet;
mod live;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_config::FourEyes;
use holdfast_model::{Actor, Policy, PolicyName, RunId};
use holdfast_storage::SasSource;
use holdfast_store::Approval;

use crate::Error;
use crate::added_runs::AddedRuns;
use crate::app_resolver::AppSelection;
use crate::approvals::{Confirmed, StartedOnce, confirm, replan};
use crate::backup::{BackupRequest, start};
use crate::coverage::{Coverage, coverage};
use crate::forecast::{FleetForecast, ForecastRequest, forecast};
use crate::restore::{
    ConfirmedPlans, DrillRequest, ManyPlan, ManyRestores, RestorePlan, RestoreRequest, execute_once,
    plan_drill, plan_many, plan_restore,
};
use crate::verify::{VerifyReport, catalog_by_app, verify};

pub use audit::AuditRequests;
pub use backups::BackupRequests;
pub use fleet::{FleetRequests, ScheduleChange};
pub use live::LiveRequests;

/// How far a forecast looks.
const DAY: Duration = Duration::from_hours(24);

/// Requests of people that need the fleet file or Azure.
#[async_trait]
pub trait OperatorRequests: AuditRequests + BackupRequests + FleetRequests {
    /// The apps that Azure lists, and which of them the fleet file covers.
    async fn coverage(&self) -> Result<Coverage, Error>;

    /// What the next 24 hours will bring. Makes no request to Azure.
    async fn forecast(&self) -> Result<FleetForecast, Error>;

    /// What another time will bring, or another number of apps. Makes no request to Azure.
    async fn forecast_of(&self, request: ForecastRequest) -> Result<FleetForecast, Error>;

    /// Plans a restore. Changes nothing.
    async fn plan_restore(&self, actor: &Actor, request: RestoreRequest) -> Result<RestorePlan, Error>;

    /// Plans a drill. Changes nothing.
    async fn plan_drill(&self, actor: &Actor, request: DrillRequest) -> Result<RestorePlan, Error>;

    /// Plans restores or drills of many apps. Changes nothing.
    async fn plan_many(&self, actor: &Actor, request: &ManyRestores) -> Result<ManyPlan, Error>;

    /// Adds the runs of confirmed plans, once for each key, or asks a second person for them.
    async fn start(&self, actor: &Actor, confirmed: ConfirmedPlans<'_>) -> Result<StartedOnce, Error>;

    /// What a second person must confirm.
    fn four_eyes(&self) -> FourEyes;

    /// The policies whose storage gets its SAS from Holdfast itself.
    fn minted(&self) -> BTreeSet<PolicyName>;

    /// Lets a second person confirm a request: plans it again, and adds its runs.
    async fn confirm(&self, actor: &Actor, id: RunId, rng: fastrand::Rng) -> Result<Confirmed, Error>;

    /// Verifies the backups of apps, and records what was found. Calls `progress` after each app.
    async fn verify(
        &self,
        actor: &Actor,
        apps: &AppSelection,
        rng: fastrand::Rng,
        progress: &(dyn Fn() + Send + Sync),
    ) -> Result<VerifyReport, Error>;

    /// Adds a backup run for each app, or none when one of them cannot be backed up.
    async fn back_up(
        &self,
        actor: &Actor,
        request: &BackupRequest,
        rng: fastrand::Rng,
    ) -> Result<AddedRuns, Error>;
}

#[async_trait]
impl OperatorRequests for LiveRequests {
    async fn coverage(&self) -> Result<Coverage, Error> {
        coverage(&self.fleet, &self.arm).await
    }

    async fn forecast(&self) -> Result<FleetForecast, Error> {
        let from = self.store.now().await?;
        self.forecast_of(ForecastRequest { from, until: from + DAY, apps: None }).await
    }

    async fn forecast_of(&self, request: ForecastRequest) -> Result<FleetForecast, Error> {
        forecast(&self.fleet, &*self.store, request).await
    }

    async fn plan_restore(&self, actor: &Actor, request: RestoreRequest) -> Result<RestorePlan, Error> {
        plan_restore(&self.context(actor).await?, request).await
    }

    async fn plan_drill(&self, actor: &Actor, request: DrillRequest) -> Result<RestorePlan, Error> {
        plan_drill(&self.context(actor).await?, request).await
    }

    async fn plan_many(&self, actor: &Actor, request: &ManyRestores) -> Result<ManyPlan, Error> {
        plan_many(&self.context(actor).await?, request).await
    }

    async fn start(&self, actor: &Actor, confirmed: ConfirmedPlans<'_>) -> Result<StartedOnce, Error> {
        execute_once(&self.context(actor).await?, confirmed).await
    }

    fn four_eyes(&self) -> FourEyes {
        self.fleet.four_eyes
    }

    fn minted(&self) -> BTreeSet<PolicyName> {
        let is_minted = |policy: &&Policy| {
            let storage = self.fleet.storage(&policy.policy_snapshot.storage);
            storage.is_some_and(|storage| !matches!(storage.source, SasSource::Url(_)))
        };
        self.fleet.policies.values().filter(is_minted).map(|policy| policy.name.clone()).collect()
    }

    async fn confirm(&self, actor: &Actor, id: RunId, mut rng: fastrand::Rng) -> Result<Confirmed, Error> {
        let mut of_runs = rng.fork();
        let again = async move |approval: Approval| {
            let context = self.context(&approval.asked_by).await?;
            replan(&context, &approval, &mut of_runs).await
        };
        confirm(&*self.store, id, actor, again, &mut rng).await
    }

    async fn verify(
        &self,
        actor: &Actor,
        apps: &AppSelection,
        mut rng: fastrand::Rng,
        progress: &(dyn Fn() + Send + Sync),
    ) -> Result<VerifyReport, Error> {
        let apps = match apps {
            AppSelection::All => catalog_by_app(&*self.store, &[], true).await?,
            AppSelection::Named(names) => catalog_by_app(&*self.store, names, false).await?,
        };
        verify(&self.context(actor).await?, apps, &mut rng, progress).await
    }

    async fn back_up(
        &self,
        actor: &Actor,
        request: &BackupRequest,
        mut rng: fastrand::Rng,
    ) -> Result<AddedRuns, Error> {
        start(&self.context(actor).await?, request, &mut rng).await
    }
}
