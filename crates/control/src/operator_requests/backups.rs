//! Requests about the backups of an app, which ask Azure.

use async_trait::async_trait;
use holdfast_model::{Actor, BackupId};
use secrecy::SecretString;

use super::live::LiveRequests;
use crate::added_runs::{AddedRuns, add_runs};
use crate::adoption::{Adopted, AdoptionRequest, adopt};
use crate::approvals::Started;
use crate::deletion::{self, DeletionPlan, DeletionRequest};
use crate::{Error, Inventory, reveal, sas};

/// Requests about the backups of an app, which ask Azure.
#[async_trait]
pub trait BackupRequests: Send + Sync {
    /// The app's backups, from Azure and from the catalog.
    async fn inventory(&self, actor: &Actor, app: &str) -> Result<Inventory, Error>;

    /// Puts backups that others took into the catalog.
    async fn adopt(
        &self,
        actor: &Actor,
        request: &AdoptionRequest,
        rng: fastrand::Rng,
    ) -> Result<Adopted, Error>;

    /// The URL with the SAS that Azure keeps with a backup. The audit records who asks.
    async fn reveal(
        &self,
        actor: &Actor,
        app: &str,
        backup: BackupId,
        rng: fastrand::Rng,
    ) -> Result<SecretString, Error>;

    /// Plans a deletion. Changes nothing.
    async fn plan_deletion(&self, actor: &Actor, request: &DeletionRequest) -> Result<DeletionPlan, Error>;

    /// Adds the runs of a confirmed deletion.
    async fn delete(&self, actor: &Actor, plan: &DeletionPlan, rng: fastrand::Rng) -> Result<Started, Error>;

    /// Adds runs that replace the SAS that Azure keeps with a backup of the app, or with all of them.
    async fn refresh_sas(
        &self,
        actor: &Actor,
        app: &str,
        backup: Option<BackupId>,
        rng: fastrand::Rng,
    ) -> Result<AddedRuns, Error>;
}

#[async_trait]
impl BackupRequests for LiveRequests {
    async fn inventory(&self, actor: &Actor, app: &str) -> Result<Inventory, Error> {
        Inventory::of(app, &self.context(actor).await?).await
    }

    async fn adopt(
        &self,
        actor: &Actor,
        request: &AdoptionRequest,
        mut rng: fastrand::Rng,
    ) -> Result<Adopted, Error> {
        adopt(&self.context(actor).await?, request, &mut rng).await
    }

    async fn reveal(
        &self,
        actor: &Actor,
        app: &str,
        backup: BackupId,
        mut rng: fastrand::Rng,
    ) -> Result<SecretString, Error> {
        let context = self.context(actor).await?;
        let inventory = Inventory::of(app, &context).await?;
        reveal(&context, &inventory, inventory.get(backup)?, &mut rng).await
    }

    async fn plan_deletion(&self, actor: &Actor, request: &DeletionRequest) -> Result<DeletionPlan, Error> {
        deletion::plan(&self.context(actor).await?, request).await
    }

    async fn delete(
        &self,
        actor: &Actor,
        plan: &DeletionPlan,
        mut rng: fastrand::Rng,
    ) -> Result<Started, Error> {
        deletion::execute(&self.context(actor).await?, plan, &mut rng).await
    }

    async fn refresh_sas(
        &self,
        actor: &Actor,
        app: &str,
        backup: Option<BackupId>,
        mut rng: fastrand::Rng,
    ) -> Result<AddedRuns, Error> {
        let context = self.context(actor).await?;
        let runs = sas::refresh(&context, app, backup, &mut rng).await?;
        add_runs(context.store, &runs).await
    }
}
