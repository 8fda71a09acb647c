//! The store in one SQLite file: durable across kill -9, and readable with plain SQL.

mod audit;
mod budgets;
mod catalog;
mod cursors;
mod driver;
mod fleet;
mod intents;
mod lanes;
mod listing;
mod lock;
mod open;
mod row;
mod runs;
mod status;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Call, CatalogEntry, Clock, Limits, NewRun, Run, RunId, SubscriptionId, Timestamp};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{Sqlite, SqlitePool};

pub use self::lock::OneProcess;
pub use self::open::Mode;

use self::driver::{During, Writing};
use crate::columns::stamp;
use crate::{
    AppStatus, AuditEvent, CatalogFilter, ChainRow, Change, Committed, Cursor, CursorAdvance, DueLanes,
    Enrolled, Error, FleetChange, LaneQuota, Leased, Loaded, Planned, RunFilter, Store,
};

/// A store in one SQLite file. One connection writes, a few read beside it; other processes may join.
#[derive(Debug)]
pub struct SqliteStore {
    clock: Arc<dyn Clock>,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Ends all connections, and so folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    fn time(&self) -> Timestamp {
        stamp(self.clock.now())
    }

    async fn write(&self, operation: &'static str) -> Result<Writing, Error> {
        Writing::begin(&self.writer, operation).await
    }

    async fn read(&self, operation: &'static str) -> Result<PoolConnection<Sqlite>, Error> {
        self.readers.acquire().await.during(operation)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn close(&self) {
        Self::close(self).await;
    }

    async fn now(&self) -> Result<Timestamp, Error> {
        Ok(self.time())
    }

    async fn sync_fleet(&self, fleet: &[Enrolled]) -> Result<FleetChange, Error> {
        let mut tx = self.write("sync the fleet").await?;
        let change = fleet::sync_fleet(&mut tx, fleet, self.time()).await?;
        tx.commit().await.map(|()| change)
    }

    async fn cursors_due(&self, most: u32) -> Result<Vec<Cursor>, Error> {
        let mut connection = self.read(cursors::DUE).await?;
        cursors::due(&mut connection, most, self.time()).await
    }

    async fn plan(&self, plans: &[CursorAdvance]) -> Result<Planned, Error> {
        let mut tx = self.write(cursors::PLAN).await?;
        let planned = cursors::plan(&mut tx, plans, self.time()).await?;
        tx.commit().await.map(|()| planned)
    }

    async fn add_run(&self, run: &NewRun) -> Result<(), Error> {
        let mut tx = self.write(runs::ADD).await?;
        runs::add(&mut tx, run, self.time()).await?;
        tx.commit().await
    }

    async fn add_runs(&self, runs: &[NewRun]) -> Result<u64, Error> {
        let mut tx = self.write(runs::ADD_ALL).await?;
        let added = runs::add_all(&mut tx, runs, self.time()).await?;
        tx.commit().await.map(|()| added)
    }

    async fn catalog(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>, Error> {
        let mut connection = self.read(catalog::CATALOG).await?;
        catalog::list(&mut connection, filter).await
    }

    async fn reclaim(&self) -> Result<u64, Error> {
        let mut tx = self.write(lanes::RECLAIM).await?;
        let count = lanes::reclaim(&mut tx, self.time()).await?;
        tx.commit().await.map(|()| count)
    }

    async fn due_lanes(&self) -> Result<DueLanes, Error> {
        let mut connection = self.read(lanes::BOARD).await?;
        lanes::due_lanes(&mut connection, self.time()).await
    }

    async fn acquire(
        &self,
        asks: &[LaneQuota],
        limits: &Limits,
        lease: Duration,
    ) -> Result<Vec<Leased>, Error> {
        let mut tx = self.write(lanes::TAKE).await?;
        let taken = lanes::acquire(&mut tx, asks, limits, lease, self.time()).await?;
        tx.commit().await.map(|()| taken)
    }

    async fn close_budget(
        &self,
        subscription: &SubscriptionId,
        call: Call,
        until: Timestamp,
    ) -> Result<(), Error> {
        let mut tx = self.write(budgets::CLOSE).await?;
        budgets::close(&mut tx, subscription, call, until, self.time()).await?;
        tx.commit().await
    }

    async fn load(&self, id: RunId) -> Result<Option<Loaded>, Error> {
        let mut connection = self.read(runs::LOAD).await?;
        runs::load(&mut connection, id, self.time()).await
    }

    async fn commit(&self, change: &Change) -> Result<Committed, Error> {
        let mut tx = self.write(runs::COMMIT).await?;
        let committed = runs::commit(&mut tx, change).await?;
        tx.commit().await.map(|()| committed)
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Error> {
        let mut connection = self.read(listing::LIST).await?;
        listing::list(&mut connection, filter).await
    }

    async fn status(&self) -> Result<Vec<AppStatus>, Error> {
        let mut connection = self.read(status::STATUS).await?;
        status::status(&mut connection, self.time()).await
    }

    async fn events(&self, run: RunId) -> Result<Vec<AuditEvent>, Error> {
        let mut connection = self.read(audit::READ).await?;
        audit::of_run(&mut connection, run).await
    }

    async fn audit(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>, Error> {
        self.chain(after, most).await?.into_iter().map(audit::event).collect()
    }

    async fn chain(&self, after: i64, most: u32) -> Result<Vec<ChainRow>, Error> {
        let mut connection = self.read(audit::READ).await?;
        audit::chain(&mut connection, after, most).await
    }
}

#[cfg(test)]
mod tests;
