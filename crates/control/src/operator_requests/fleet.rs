//! Requests about policies, storages and Azure's own schedules.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::{Actor, PolicyName, StorageName};

use super::live::LiveRequests;
use crate::Error;
use crate::added_runs::AddedRuns;
use crate::app_resolver::AppSelection;
use crate::doctor::{Doctor, Finding};
use crate::native_schedule::{self, AppSchedule, ScheduleDrift, ShownSchedule};
use crate::policies::{EffectivePolicy, effective_policies};
use crate::retention::{RetentionReport, retention};
use crate::revisions::{Change, Proposal};
use crate::sas::{self, CheckedStorage};
use crate::schedule_preview::{PreviewRange, SchedulePreview, preview_app, preview_policies};

/// What happens to Azure's own schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleChange {
    /// They are set as the policies say.
    Push,
    /// They are removed.
    Remove,
}

/// Requests about policies, storages and Azure's own schedules.
#[async_trait]
pub trait FleetRequests: Send + Sync {
    /// What retention decides now about the backups of an app or of a policy. Makes no request to Azure.
    async fn retention(
        &self,
        app: Option<&str>,
        policy: Option<&PolicyName>,
    ) -> Result<RetentionReport, Error>;

    /// The next ticks of an app, or the next cron times of a policy or of all. Makes no request to Azure.
    async fn schedules(
        &self,
        app: Option<&str>,
        policy: Option<&PolicyName>,
        range: PreviewRange,
    ) -> Result<Vec<SchedulePreview>, Error>;

    /// Proposes the newest revision of the fleet, unless this process could not read its secrets. Makes no request to Azure, and
    /// changes nothing.
    async fn propose_revision(&self, change: Change) -> Result<Proposal, Error>;

    /// The values of the policy of an app, or of every policy. Makes no request to Azure.
    async fn policies(&self, app: Option<&str>) -> Result<Vec<EffectivePolicy>, Error>;

    /// Checks the SAS of storages; of those that policies use where none is named.
    async fn check_storages(&self, names: &[StorageName]) -> Result<Vec<CheckedStorage>, Error>;

    /// Checks what the backups of an app depend on: its subscription, storage, tier and settings. Changes nothing.
    async fn check_app(&self, app: &str) -> Result<Vec<Finding>, Error>;

    /// Azure's own schedules of apps.
    async fn native_schedules(&self, actor: &Actor, apps: &AppSelection)
    -> Result<Vec<ShownSchedule>, Error>;

    /// Compares Azure's own schedules with the policies, and records what was found.
    async fn drift(
        &self,
        actor: &Actor,
        apps: &AppSelection,
        rng: fastrand::Rng,
    ) -> Result<Vec<ScheduleDrift>, Error>;

    /// Plans a change of Azure's own schedules. Changes nothing.
    async fn plan_schedules(
        &self,
        actor: &Actor,
        change: ScheduleChange,
        apps: &AppSelection,
    ) -> Result<Vec<AppSchedule>, Error>;

    /// Adds the runs of a confirmed change of Azure's own schedules.
    async fn change_schedules(
        &self,
        actor: &Actor,
        change: ScheduleChange,
        plan: &[AppSchedule],
        rng: fastrand::Rng,
    ) -> Result<AddedRuns, Error>;
}

#[async_trait]
impl FleetRequests for LiveRequests {
    async fn retention(
        &self,
        app: Option<&str>,
        policy: Option<&PolicyName>,
    ) -> Result<RetentionReport, Error> {
        retention(&self.fleet, &*self.store, app, policy).await
    }

    async fn schedules(
        &self,
        app: Option<&str>,
        policy: Option<&PolicyName>,
        range: PreviewRange,
    ) -> Result<Vec<SchedulePreview>, Error> {
        match app {
            Some(name) => Ok(vec![preview_app(&self.fleet, self.store.status().await?, name, range)?]),
            None => preview_policies(&self.fleet, policy, range),
        }
    }

    async fn propose_revision(&self, change: Change) -> Result<Proposal, Error> {
        let proposal = change.propose(&*self.store, Some(&self.fleet)).await?;
        if !proposal.is_in_force {
            proposal.check_secrets(self.store.now().await?)?;
        }
        Ok(proposal)
    }

    async fn policies(&self, app: Option<&str>) -> Result<Vec<EffectivePolicy>, Error> {
        let enrolled = if app.is_some() { self.store.status().await? } else { Vec::new() };
        effective_policies(&self.fleet, enrolled, app)
    }

    async fn check_storages(&self, names: &[StorageName]) -> Result<Vec<CheckedStorage>, Error> {
        sas::check(&self.fleet, &*self.storage, names, self.store.now().await?).await
    }

    async fn check_app(&self, app: &str) -> Result<Vec<Finding>, Error> {
        let (arm, storage, clock) =
            (Arc::clone(&self.arm), Arc::clone(&self.storage), Arc::clone(&self.clock));
        let progress = |_, _| ();
        // Each request of ARM shows whether the credential works.
        let credentials = Vec::new();
        Doctor { fleet: &self.fleet, arm, storage, credentials, clock, progress: &progress }
            .check_app(app)
            .await
    }

    async fn native_schedules(
        &self,
        actor: &Actor,
        apps: &AppSelection,
    ) -> Result<Vec<ShownSchedule>, Error> {
        native_schedule::show(&self.context(actor).await?, apps).await
    }

    async fn drift(
        &self,
        actor: &Actor,
        apps: &AppSelection,
        mut rng: fastrand::Rng,
    ) -> Result<Vec<ScheduleDrift>, Error> {
        native_schedule::drift(&self.context(actor).await?, apps, &mut rng).await
    }

    async fn plan_schedules(
        &self,
        actor: &Actor,
        change: ScheduleChange,
        apps: &AppSelection,
    ) -> Result<Vec<AppSchedule>, Error> {
        let context = self.context(actor).await?;
        match change {
            ScheduleChange::Push => native_schedule::plan_push(&context, apps).await,
            ScheduleChange::Remove => native_schedule::plan_removal(&context, apps).await,
        }
    }

    async fn change_schedules(
        &self,
        actor: &Actor,
        change: ScheduleChange,
        plan: &[AppSchedule],
        mut rng: fastrand::Rng,
    ) -> Result<AddedRuns, Error> {
        let context = self.context(actor).await?;
        match change {
            ScheduleChange::Push => native_schedule::push(&context, plan, &mut rng).await,
            ScheduleChange::Remove => native_schedule::remove(&context, plan, &mut rng).await,
        }
    }
}
