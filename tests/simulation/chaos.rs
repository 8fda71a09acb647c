//! What goes wrong on our own side: crashes at every await, a store that fails, a queue that loses and doubles.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_arm::{
    Arm, Backup, BackupBody, BackupSecrets, Discovered, FoundSchedule, Permissions, Progress, RestoreBody,
    ScheduleBody, Started,
};
use holdfast_model::{
    AppId, BackupId, Call, CatalogEntry, Lane, Limits, NewRun, Run, RunId, Site, StorageName, SubscriptionId,
    Timestamp,
};
use holdfast_queue::{Delivery, Message, Queue};
use holdfast_storage::{BlobFacts, Container, Grant, Need, SasHealth, Storage};
use holdfast_store::{
    AppStatus, AuditEvent, CatalogFilter, Change, Committed, Cursor, CursorAdvance, DueLanes, Enrolled,
    FleetChange, LaneQuota, Leased, Loaded, Planned, RunFilter, Store,
};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

/// How often each thing goes wrong on our side, from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub crash: f64,
    pub stall: f64,
    pub store_error: f64,
    pub message_lost: f64,
    pub message_doubled: f64,
}

/// What went wrong so far, in the whole world.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub crashes: AtomicU64,
    pub stalls: AtomicU64,
    pub store_errors: AtomicU64,
    pub messages_lost: AtomicU64,
    pub messages_doubled: AtomicU64,
    /// What was handed out: by the store's time, on which subscription's budget.
    pub released: Mutex<Vec<(Timestamp, SubscriptionId, Call)>>,
}

impl Counts {
    /// Notes what was handed out, as the simulation's checkers need it.
    async fn note(&self, store: &dyn Store, taken: &[Leased]) -> Result<(), holdfast_store::Error> {
        for taken in taken {
            let Some(loaded) = store.load(taken.wakeup.run_id).await? else { continue };
            if let Some((subscription, call)) = loaded.run.lane().as_ref().and_then(Lane::cost) {
                self.released.lock().unwrap().push((loaded.now, subscription.clone(), call));
            }
        }
        Ok(())
    }
}

/// One process's bad luck.
#[derive(Debug)]
pub(crate) struct Chaos {
    rates: Rates,
    rng: Mutex<fastrand::Rng>,
    /// Once cleared nothing goes wrong any more.
    on: Arc<AtomicBool>,
    counts: Arc<Counts>,
    /// Fires when the process crashes.
    pub crashed: CancellationToken,
}

impl Chaos {
    pub(crate) fn new(
        rates: Rates,
        rng: fastrand::Rng,
        on: Arc<AtomicBool>,
        counts: Arc<Counts>,
    ) -> Arc<Self> {
        Arc::new(Self { rates, rng: Mutex::new(rng), on, counts, crashed: CancellationToken::new() })
    }

    fn happens(&self, rate: f64, count: &AtomicU64) -> bool {
        let drawn = self.rng.lock().unwrap().f64() < rate;
        let happens = drawn && self.on.load(Ordering::Relaxed);
        count.fetch_add(u64::from(happens), Ordering::Relaxed);
        happens
    }

    /// An await at which the machine may stop for good, or for longer than any lease.
    async fn await_point(&self) {
        if self.happens(self.rates.crash, &self.counts.crashes) {
            self.crashed.cancel();
            std::future::pending::<()>().await;
        }
        if self.happens(self.rates.stall, &self.counts.stalls) {
            let seconds = self.rng.lock().unwrap().u64(1..900);
            pause(Duration::from_secs(seconds)).await;
        }
    }

    fn store_fails(&self, operation: &'static str) -> Result<(), holdfast_store::Error> {
        if self.happens(self.rates.store_error, &self.counts.store_errors) {
            let what = "simulated".to_owned();
            return Err(holdfast_store::Error::Inconsistent { operation, what });
        }
        Ok(())
    }
}

/// Lets simulated time pass.
#[expect(clippy::disallowed_methods, reason = "under paused time this waits for nothing real")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Something real, seen from a process that may crash before and after each call.
#[derive(Debug, Clone)]
pub(crate) struct Shaky<T> {
    pub inner: T,
    pub chaos: Arc<Chaos>,
}

impl<T> Shaky<T> {
    async fn around<R>(&self, call: impl Future<Output = R>) -> R {
        self.chaos.await_point().await;
        let result = call.await;
        self.chaos.await_point().await;
        result
    }
}

macro_rules! shaky_store {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        #[async_trait]
        impl Store for Shaky<Arc<dyn Store>> {
            async fn acquire(
                &self,
                asks: &[LaneQuota],
                limits: &Limits,
                lease: Duration,
            ) -> Result<Vec<Leased>, holdfast_store::Error> {
                self.around(async {
                    self.chaos.store_fails("take")?;
                    let taken = self.inner.acquire(asks, limits, lease).await?;
                    self.chaos.counts.note(&*self.inner, &taken).await?;
                    Ok(taken)
                })
                .await
            }

            $(async fn $name(&self, $($arg: $type),*) -> Result<$result, holdfast_store::Error> {
                self.around(async {
                    self.chaos.store_fails(stringify!($name))?;
                    self.inner.$name($($arg),*).await
                })
                .await
            })*
        }
    };
}

shaky_store! {
    now() -> Timestamp;
    sync_fleet(fleet: &[Enrolled]) -> FleetChange;
    cursors_due(most: u32) -> Vec<Cursor>;
    plan(plans: &[CursorAdvance]) -> Planned;
    add_run(run: &NewRun) -> ();
    add_runs(runs: &[NewRun]) -> u64;
    catalog(filter: &CatalogFilter) -> Vec<CatalogEntry>;
    reclaim() -> u64;
    due_lanes() -> DueLanes;
    close_budget(subscription: &SubscriptionId, call: Call, until: Timestamp) -> ();
    load(id: RunId) -> Option<Loaded>;
    commit(change: &Change) -> Committed;
    runs(filter: &RunFilter) -> Vec<Run>;
    status() -> Vec<AppStatus>;
    events(run: RunId) -> Vec<AuditEvent>;
    audit(after: i64, most: u32) -> Vec<AuditEvent>;
}

#[async_trait]
impl Arm for Shaky<Arc<dyn Arm>> {
    async fn sites(&self, subscription: &SubscriptionId) -> Result<Vec<Site>, holdfast_arm::Error> {
        self.around(self.inner.sites(subscription)).await
    }

    async fn slots(&self, app: &AppId) -> Result<Vec<Site>, holdfast_arm::Error> {
        self.around(self.inner.slots(app)).await
    }

    async fn site(&self, app: &AppId) -> Result<Site, holdfast_arm::Error> {
        self.around(self.inner.site(app)).await
    }

    async fn backup(&self, app: &AppId, request: &BackupBody) -> Result<Backup, holdfast_arm::Error> {
        // The way to Azure is where the machine must not be paused, and where it may stop.
        let answer = self.inner.backup(app, request).await;
        self.chaos.await_point().await;
        answer
    }

    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, holdfast_arm::Error> {
        self.around(self.inner.get_backup(app, id)).await
    }

    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, holdfast_arm::Error> {
        self.around(self.inner.list_backups(app)).await
    }

    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, holdfast_arm::Error> {
        self.around(self.inner.list_site_backups(app)).await
    }

    async fn delete_backup(&self, app: &AppId, id: BackupId) -> Result<Option<Backup>, holdfast_arm::Error> {
        let answer = self.inner.delete_backup(app, id).await;
        self.chaos.await_point().await;
        answer
    }

    async fn backup_secrets(
        &self,
        app: &AppId,
        id: BackupId,
        replace: Option<&SecretString>,
    ) -> Result<BackupSecrets, holdfast_arm::Error> {
        self.around(self.inner.backup_secrets(app, id, replace)).await
    }

    async fn restore(
        &self,
        app: &AppId,
        id: BackupId,
        request: &RestoreBody,
    ) -> Result<Started, holdfast_arm::Error> {
        let answer = self.inner.restore(app, id, request).await;
        self.chaos.await_point().await;
        answer
    }

    async fn restore_from_blob(
        &self,
        app: &AppId,
        request: &RestoreBody,
    ) -> Result<Started, holdfast_arm::Error> {
        let answer = self.inner.restore_from_blob(app, request).await;
        self.chaos.await_point().await;
        answer
    }

    async fn discover(&self, app: &AppId, request: &RestoreBody) -> Result<Discovered, holdfast_arm::Error> {
        self.around(self.inner.discover(app, request)).await
    }

    async fn operation(&self, app: &AppId, operation: &str) -> Result<Progress, holdfast_arm::Error> {
        self.around(self.inner.operation(app, operation)).await
    }

    async fn permissions(&self, app: &AppId) -> Result<Permissions, holdfast_arm::Error> {
        self.around(self.inner.permissions(app)).await
    }

    async fn schedule(&self, app: &AppId) -> Result<Option<FoundSchedule>, holdfast_arm::Error> {
        self.around(self.inner.schedule(app)).await
    }

    async fn put_schedule(&self, app: &AppId, request: &ScheduleBody) -> Result<(), holdfast_arm::Error> {
        let answer = self.inner.put_schedule(app, request).await;
        self.chaos.await_point().await;
        answer
    }

    async fn delete_schedule(&self, app: &AppId) -> Result<(), holdfast_arm::Error> {
        let answer = self.inner.delete_schedule(app).await;
        self.chaos.await_point().await;
        answer
    }
}

#[async_trait]
impl Storage for Shaky<Arc<dyn Storage>> {
    fn container(&self, storage: &StorageName) -> Result<Container, holdfast_storage::Error> {
        self.inner.container(storage)
    }

    async fn sas_health(
        &self,
        storage: &StorageName,
        need: &Need,
    ) -> Result<SasHealth, holdfast_storage::Error> {
        self.around(self.inner.sas_health(storage, need)).await
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, holdfast_storage::Error> {
        self.around(self.inner.grant(storage, need)).await
    }

    async fn blob(
        &self,
        storage: &StorageName,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, holdfast_storage::Error> {
        self.around(self.inner.blob(storage, name, now)).await
    }
}

#[async_trait]
impl Queue for Shaky<Arc<dyn Queue>> {
    async fn publish(&self, messages: &[Message]) -> Result<(), holdfast_queue::Error> {
        let mut sent = Vec::new();
        for message in messages {
            if self.chaos.happens(self.chaos.rates.message_lost, &self.chaos.counts.messages_lost) {
                continue;
            }
            sent.push(message.clone());
            if self.chaos.happens(self.chaos.rates.message_doubled, &self.chaos.counts.messages_doubled) {
                sent.push(message.clone());
            }
        }
        self.chaos.rng.lock().unwrap().shuffle(&mut sent);
        self.around(self.inner.publish(&sent)).await
    }

    async fn receive(&self) -> Result<Delivery, holdfast_queue::Error> {
        self.around(self.inner.receive()).await
    }
}
