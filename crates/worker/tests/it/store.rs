//! The store in memory, behind a connection that may break.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{
    Call, CatalogEntry, Limits, ManualClock, NewRun, Run, RunId, SubscriptionId, Timestamp,
};
use holdfast_store::{
    AppStatus, AuditEvent, CatalogFilter, Change, Committed, Cursor, CursorAdvance, DueLanes, Enrolled,
    Error, FleetChange, LaneQuota, Leased, Loaded, MemoryStore, Planned, RunFilter, Store,
};

use crate::world::pause;

/// What happens to a commit.
#[derive(Debug)]
pub enum Trouble {
    /// It fails and writes nothing.
    Fails,
    /// It writes, and its answer is lost.
    AnswerLost,
    /// It writes, and then the process stands still for a while by the clock.
    Stall(Arc<ManualClock>, Duration),
}

/// Every call of a step waits once before it has an effect and once after.
#[derive(Debug)]
pub struct SlowStore {
    /// The store itself.
    pub inner: MemoryStore,
    /// What happens to the commit after so many others.
    pub trouble: Mutex<Option<(u32, Trouble)>>,
}

impl SlowStore {
    fn trouble(&self) -> Option<Trouble> {
        let mut trouble = self.trouble.lock().unwrap();
        match trouble.take()? {
            (0, now) => Some(now),
            (more, later) => {
                *trouble = Some((more - 1, later));
                None
            }
        }
    }
}

fn broken() -> Error {
    Error::Inconsistent { operation: "commit a change of a run", what: "the connection broke".into() }
}

#[async_trait]
impl Store for SlowStore {
    async fn load(&self, id: RunId) -> Result<Option<Loaded>, Error> {
        pause().await;
        let loaded = self.inner.load(id).await;
        pause().await;
        loaded
    }

    async fn commit(&self, change: &Change) -> Result<Committed, Error> {
        pause().await;
        let trouble = self.trouble();
        if matches!(trouble, Some(Trouble::Fails)) {
            return Err(broken());
        }
        let committed = self.inner.commit(change).await?;
        match trouble {
            Some(Trouble::AnswerLost) => return Err(broken()),
            Some(Trouble::Stall(clock, by)) => clock.advance(by),
            _ => {}
        }
        pause().await;
        Ok(committed)
    }

    async fn close_budget(&self, whose: &SubscriptionId, call: Call, until: Timestamp) -> Result<(), Error> {
        pause().await;
        self.inner.close_budget(whose, call, until).await?;
        pause().await;
        Ok(())
    }

    async fn now(&self) -> Result<Timestamp, Error> {
        self.inner.now().await
    }

    async fn sync_fleet(&self, fleet: &[Enrolled]) -> Result<FleetChange, Error> {
        self.inner.sync_fleet(fleet).await
    }

    async fn cursors_due(&self, most: u32) -> Result<Vec<Cursor>, Error> {
        self.inner.cursors_due(most).await
    }

    async fn plan(&self, plans: &[CursorAdvance]) -> Result<Planned, Error> {
        self.inner.plan(plans).await
    }

    async fn add_run(&self, run: &NewRun) -> Result<(), Error> {
        self.inner.add_run(run).await
    }

    async fn add_runs(&self, runs: &[NewRun]) -> Result<u64, Error> {
        self.inner.add_runs(runs).await
    }

    async fn catalog(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>, Error> {
        self.inner.catalog(filter).await
    }

    async fn reclaim(&self) -> Result<u64, Error> {
        self.inner.reclaim().await
    }

    async fn due_lanes(&self) -> Result<DueLanes, Error> {
        self.inner.due_lanes().await
    }

    async fn acquire(
        &self,
        asks: &[LaneQuota],
        limits: &Limits,
        lease: Duration,
    ) -> Result<Vec<Leased>, Error> {
        self.inner.acquire(asks, limits, lease).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Error> {
        self.inner.runs(filter).await
    }

    async fn status(&self) -> Result<Vec<AppStatus>, Error> {
        self.inner.status().await
    }

    async fn events(&self, run: RunId) -> Result<Vec<AuditEvent>, Error> {
        self.inner.events(run).await
    }

    async fn audit(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>, Error> {
        self.inner.audit(after, most).await
    }
}
