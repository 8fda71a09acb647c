//! The store in memory: the twin that simulations and tests run on.

mod lanes;
mod reading;
mod state;
mod writing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Call, CatalogEntry, Clock, Limits, NewRun, Run, RunId, SubscriptionId, Timestamp};

use self::state::State;
use crate::columns::stamp;
use crate::{
    AppStatus, AuditEvent, CatalogFilter, Change, Committed, Cursor, CursorAdvance, DueLanes, Enrolled,
    Error, FleetChange, LaneQuota, Leased, Loaded, Planned, RunFilter, Store,
};

/// A store that forgets all when dropped, and else behaves as the others do.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store that judges time by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn time(&self) -> Timestamp {
        stamp(self.clock.now())
    }

    /// Every change is decided before it is made, so what a panic leaves behind is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn now(&self) -> Result<Timestamp, Error> {
        Ok(self.time())
    }

    async fn sync_fleet(&self, fleet: &[Enrolled]) -> Result<FleetChange, Error> {
        Ok(self.state().sync_fleet(fleet, self.time()))
    }

    async fn cursors_due(&self, most: u32) -> Result<Vec<Cursor>, Error> {
        Ok(self.state().cursors_due(most, self.time()))
    }

    async fn plan(&self, plans: &[CursorAdvance]) -> Result<Planned, Error> {
        self.state().plan(plans, self.time())
    }

    async fn add_run(&self, run: &NewRun) -> Result<(), Error> {
        self.state().add_run(run, self.time())
    }

    async fn add_runs(&self, runs: &[NewRun]) -> Result<u64, Error> {
        self.state().add_runs(runs, self.time())
    }

    async fn catalog(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>, Error> {
        Ok(self.state().catalog(filter))
    }

    async fn reclaim(&self) -> Result<u64, Error> {
        Ok(self.state().reclaim(self.time()))
    }

    async fn due_lanes(&self) -> Result<DueLanes, Error> {
        Ok(self.state().due_lanes(self.time()))
    }

    async fn acquire(
        &self,
        asks: &[LaneQuota],
        limits: &Limits,
        lease: Duration,
    ) -> Result<Vec<Leased>, Error> {
        Ok(self.state().acquire(asks, limits, lease, self.time()))
    }

    async fn close_budget(
        &self,
        subscription: &SubscriptionId,
        call: Call,
        until: Timestamp,
    ) -> Result<(), Error> {
        self.state().bucket(subscription, call, self.time()).close(stamp(until));
        Ok(())
    }

    async fn load(&self, id: RunId) -> Result<Option<Loaded>, Error> {
        Ok(self.state().load(id, self.time()))
    }

    async fn commit(&self, change: &Change) -> Result<Committed, Error> {
        self.state().commit(change)
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Error> {
        Ok(self.state().runs(filter))
    }

    async fn status(&self) -> Result<Vec<AppStatus>, Error> {
        Ok(self.state().status(self.time()))
    }

    async fn events(&self, run: RunId) -> Result<Vec<AuditEvent>, Error> {
        Ok(self.state().audit.iter().filter(|event| event.run_id == run).cloned().collect())
    }

    async fn audit(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>, Error> {
        // Sequence numbers count from 1 without gaps, so they are places in the list.
        let skip = usize::try_from(after).unwrap_or(0);
        Ok(self.state().audit.iter().skip(skip).take(most as usize).cloned().collect())
    }
}
