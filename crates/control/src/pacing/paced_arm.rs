//! The trait `Arm` with paced calls and repeated reads.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_arm::{
    Arm, Backup, BackupBody, BackupSecrets, Discovered, Error, ErrorKind, FoundSchedule, Operation,
    Permissions, Progress, RestoreBody, ScheduleBody, SiteList, Started, Subscription, ThrottleScope,
    tenant_budget,
};
use holdfast_model::{AppId, BackupId, Site, SubscriptionId};
use secrecy::SecretString;

use super::observer::{Wait, WaitReason};
use super::pacer::Pacer;
use super::retry::{Patience, pause_before_retry};

/// The shortest time for which a throttled budget is closed.
const THROTTLE_FLOOR: Duration = Duration::from_secs(1);

/// Pays a token for each call, and for commands repeats reads that are throttled or fail in passing.
///
/// Calls that change something are paid for and never repeated.
pub struct PacedArm {
    inner: Arc<dyn Arm>,
    pacer: Arc<Pacer>,
    patience: Patience,
}

/// A call: what it does, and to what.
struct Asked<'a> {
    operation: Operation,
    subscription: &'a SubscriptionId,
    app: Option<&'a AppId>,
}

impl<'a> Asked<'a> {
    fn of(operation: Operation, app: &'a AppId) -> Self {
        Self { operation, subscription: app.subscription(), app: Some(app) }
    }

    /// The error of a call whose budget stays empty or closed.
    fn budget_closed(&self, wait: Duration) -> Error {
        let subscription = self.subscription;
        let subject = self.app.map_or_else(|| format!("subscription {subscription}"), AppId::short_name);
        let scope = ThrottleScope::Arm;
        let what = format!(
            "not asked: the request budget of subscription {subscription} is used up or closed for another {} s",
            wait.as_secs()
        );
        Error::new(self.operation, subject, ErrorKind::Throttled { retry_after: Some(wait), scope }, &what)
    }
}

impl PacedArm {
    /// Paces the calls of `inner`.
    pub fn new(inner: Arc<dyn Arm>, pacer: Arc<Pacer>, patience: Patience) -> Self {
        Self { inner, pacer, patience }
    }

    /// Makes one call, and closes the budget if ARM throttles it.
    async fn once<T>(
        &self,
        asked: &Asked<'_>,
        call: impl Future<Output = Result<T, Error>> + Send,
        failures: u32,
    ) -> Result<T, Error> {
        let kind = asked.operation.call();
        let paid = self.pacer.pay(asked.subscription, kind, self.patience).await;
        paid.map_err(|wait| asked.budget_closed(wait))?;
        let answer = call.await;
        if let Err(error) = &answer
            && let ErrorKind::Throttled { scope: ThrottleScope::Arm, retry_after } = error.kind()
        {
            let pause = pause_before_retry(error, failures + 1).map(|(pause, _)| pause);
            let pause = pause.or(*retry_after).unwrap_or(THROTTLE_FLOOR);
            self.pacer.close(asked.subscription, kind, pause).await;
        }
        answer
    }

    /// Makes a call that changes something.
    async fn change<T>(
        &self,
        asked: Asked<'_>,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        self.once(&asked, call, 0).await
    }

    /// Makes a call that only reads, again after a failure in passing.
    async fn read<T, F>(&self, asked: Asked<'_>, call: impl Fn() -> F + Send + Sync) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let mut failures = 0;
        loop {
            let error = match self.once(&asked, call(), failures).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            if self.patience == Patience::Loop {
                return Err(error);
            }
            let Some((duration, reason)) = pause_before_retry(&error, failures) else { return Err(error) };
            let is_closed = matches!(error.kind(), ErrorKind::Throttled { scope: ThrottleScope::Arm, .. });
            // The closed budget makes it wait, with all other calls of the subscription.
            if !(is_closed && reason == WaitReason::Throttled) {
                let (subscription, call) = (asked.subscription.clone(), asked.operation.call());
                self.pacer.pause(Wait { subscription, call, reason, duration }).await;
            }
        }
    }
}

#[async_trait]
impl Arm for PacedArm {
    async fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        let budget = tenant_budget();
        let asked = Asked { operation: Operation::ListSubscriptions, subscription: &budget, app: None };
        self.read(asked, || self.inner.subscriptions()).await
    }

    async fn sites(&self, subscription: &SubscriptionId) -> Result<SiteList, Error> {
        let asked = Asked { operation: Operation::ListSites, subscription, app: None };
        self.read(asked, || self.inner.sites(subscription)).await
    }

    async fn slots(&self, app: &AppId) -> Result<SiteList, Error> {
        self.read(Asked::of(Operation::ListSlots, app), || self.inner.slots(app)).await
    }

    async fn site(&self, app: &AppId) -> Result<Site, Error> {
        self.read(Asked::of(Operation::GetSite, app), || self.inner.site(app)).await
    }

    async fn backup(&self, app: &AppId, request: &BackupBody) -> Result<Backup, Error> {
        self.change(Asked::of(Operation::Backup, app), self.inner.backup(app, request)).await
    }

    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error> {
        self.read(Asked::of(Operation::GetBackup, app), || self.inner.get_backup(app, id)).await
    }

    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        self.read(Asked::of(Operation::ListBackups, app), || self.inner.list_backups(app)).await
    }

    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        self.read(Asked::of(Operation::ListSiteBackups, app), || self.inner.list_site_backups(app)).await
    }

    async fn delete_backup(&self, app: &AppId, id: BackupId) -> Result<Option<Backup>, Error> {
        self.change(Asked::of(Operation::DeleteBackup, app), self.inner.delete_backup(app, id)).await
    }

    async fn backup_secrets(
        &self,
        app: &AppId,
        id: BackupId,
        replace: Option<&SecretString>,
    ) -> Result<BackupSecrets, Error> {
        // Replacing a SAS twice changes nothing more.
        let asked = Asked::of(Operation::BackupSecrets, app);
        self.read(asked, || self.inner.backup_secrets(app, id, replace)).await
    }

    async fn restore(&self, app: &AppId, id: BackupId, request: &RestoreBody) -> Result<Started, Error> {
        self.change(Asked::of(Operation::Restore, app), self.inner.restore(app, id, request)).await
    }

    async fn restore_from_blob(&self, app: &AppId, request: &RestoreBody) -> Result<Started, Error> {
        let asked = Asked::of(Operation::RestoreFromBlob, app);
        self.change(asked, self.inner.restore_from_blob(app, request)).await
    }

    async fn discover(&self, app: &AppId, request: &RestoreBody) -> Result<Discovered, Error> {
        self.read(Asked::of(Operation::Discover, app), || self.inner.discover(app, request)).await
    }

    async fn operation(&self, app: &AppId, operation: &str) -> Result<Progress, Error> {
        self.read(Asked::of(Operation::GetOperation, app), || self.inner.operation(app, operation)).await
    }

    async fn permissions(&self, app: &AppId) -> Result<Permissions, Error> {
        self.read(Asked::of(Operation::GetPermissions, app), || self.inner.permissions(app)).await
    }

    async fn schedule(&self, app: &AppId) -> Result<Option<FoundSchedule>, Error> {
        self.read(Asked::of(Operation::GetSchedule, app), || self.inner.schedule(app)).await
    }

    async fn put_schedule(&self, app: &AppId, request: &ScheduleBody) -> Result<(), Error> {
        self.change(Asked::of(Operation::PutSchedule, app), self.inner.put_schedule(app, request)).await
    }

    async fn delete_schedule(&self, app: &AppId) -> Result<(), Error> {
        self.change(Asked::of(Operation::DeleteSchedule, app), self.inner.delete_schedule(app)).await
    }
}

#[cfg(test)]
mod tests;
