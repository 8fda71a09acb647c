//! The store in a PostgreSQL database: what several machines share.

mod acquire;
mod audit;
mod budgets;
mod catalog;
mod cursors;
mod fleet;
mod intents;
mod lanes;
mod listing;
mod open;
mod row;
mod runs;
mod session;
mod status;
mod time;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Call, CatalogEntry, Limits, NewRun, Run, RunId, SubscriptionId, Timestamp};
use sqlx::postgres::PgPool;

use self::session::{Session, within};
use self::time::Time;
use crate::{
    AppStatus, AuditEvent, CatalogFilter, ChainRow, Change, Committed, Cursor, CursorAdvance, DueLanes,
    Enrolled, Error, FleetChange, LaneQuota, Leased, Loaded, Planned, RunFilter, Store,
};

const NOW: &str = "ask for the time";

/// A store in a PostgreSQL database. Its time is the database's.
pub struct PgStore {
    place: String,
    pool: PgPool,
    time: Time,
}

impl PgStore {
    /// Ends all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn session(&self, operation: &'static str) -> Result<Session, Error> {
        Session::open(&self.pool, operation).await
    }
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore").field("place", &self.place).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PgStore {
    async fn close(&self) {
        Self::close(self).await;
    }

    async fn now(&self) -> Result<Timestamp, Error> {
        within(NOW, async {
            let mut session = self.session(NOW).await?;
            let now = self.time.now(&mut session, NOW).await;
            session.answer(now).await
        })
        .await
    }

    async fn sync_fleet(&self, fleet: &[Enrolled]) -> Result<FleetChange, Error> {
        within(fleet::SYNC, async {
            let mut tx = self.session(fleet::SYNC).await?.begin().await?;
            let change = fleet::sync_fleet(&mut tx, fleet, &self.time).await;
            tx.answer(change).await
        })
        .await
    }

    async fn cursors_due(&self, most: u32) -> Result<Vec<Cursor>, Error> {
        within(cursors::DUE, async {
            let mut session = self.session(cursors::DUE).await?;
            let due = cursors::due(&mut session, most, &self.time).await;
            session.answer(due).await
        })
        .await
    }

    async fn plan(&self, plans: &[CursorAdvance]) -> Result<Planned, Error> {
        within(cursors::PLAN, async {
            let mut tx = self.session(cursors::PLAN).await?.begin().await?;
            let planned = cursors::plan(&mut tx, plans, &self.time).await;
            tx.answer(planned).await
        })
        .await
    }

    async fn add_run(&self, run: &NewRun) -> Result<(), Error> {
        within(runs::ADD, async {
            let mut tx = self.session(runs::ADD).await?.begin().await?;
            let added = runs::add(&mut tx, run, &self.time).await;
            tx.answer(added).await
        })
        .await
    }

    async fn add_runs(&self, runs: &[NewRun]) -> Result<u64, Error> {
        within(runs::ADD_ALL, async {
            let mut tx = self.session(runs::ADD_ALL).await?.begin().await?;
            let added = runs::add_all(&mut tx, runs, &self.time).await;
            tx.answer(added).await
        })
        .await
    }

    async fn catalog(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>, Error> {
        within(catalog::CATALOG, async {
            let mut session = self.session(catalog::CATALOG).await?;
            let entries = catalog::list(&mut session, filter).await;
            session.answer(entries).await
        })
        .await
    }

    async fn reclaim(&self) -> Result<u64, Error> {
        within(lanes::RECLAIM, async {
            let mut session = self.session(lanes::RECLAIM).await?;
            let reclaimed = lanes::reclaim(&mut session, &self.time).await;
            session.answer(reclaimed).await
        })
        .await
    }

    async fn due_lanes(&self) -> Result<DueLanes, Error> {
        within(lanes::BOARD, async {
            let mut session = self.session(lanes::BOARD).await?;
            let board = lanes::due_lanes(&mut session, &self.time).await;
            session.answer(board).await
        })
        .await
    }

    async fn acquire(
        &self,
        asks: &[LaneQuota],
        limits: &Limits,
        lease: Duration,
    ) -> Result<Vec<Leased>, Error> {
        within(acquire::TAKE, async {
            let mut tx = self.session(acquire::TAKE).await?.begin().await?;
            let taken = acquire::acquire(&mut tx, asks, limits, lease, &self.time).await;
            tx.answer(taken).await
        })
        .await
    }

    async fn close_budget(
        &self,
        subscription: &SubscriptionId,
        call: Call,
        until: Timestamp,
    ) -> Result<(), Error> {
        within(budgets::CLOSE, async {
            let mut session = self.session(budgets::CLOSE).await?;
            let closed = budgets::close(&mut session, subscription, call, until, &self.time).await;
            session.answer(closed).await
        })
        .await
    }

    async fn load(&self, id: RunId) -> Result<Option<Loaded>, Error> {
        within(runs::LOAD, async {
            let mut session = self.session(runs::LOAD).await?;
            let loaded = runs::load(&mut session, id, &self.time).await;
            session.answer(loaded).await
        })
        .await
    }

    async fn commit(&self, change: &Change) -> Result<Committed, Error> {
        within(runs::COMMIT, async {
            let session = self.session(runs::COMMIT).await?;
            // One statement is a transaction of its own.
            let mut tx = if change.events.is_empty() { session } else { session.begin().await? };
            let committed = runs::commit(&mut tx, change).await;
            tx.answer(committed).await
        })
        .await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Error> {
        within(listing::LIST, async {
            let mut session = self.session(listing::LIST).await?;
            let runs = listing::list(&mut session, filter).await;
            session.answer(runs).await
        })
        .await
    }

    async fn status(&self) -> Result<Vec<AppStatus>, Error> {
        within(status::STATUS, async {
            let mut session = self.session(status::STATUS).await?;
            let status = status::status(&mut session, &self.time).await;
            session.answer(status).await
        })
        .await
    }

    async fn events(&self, run: RunId) -> Result<Vec<AuditEvent>, Error> {
        within(audit::READ, async {
            let mut session = self.session(audit::READ).await?;
            let events = audit::of_run(&mut session, run).await;
            session.answer(events).await
        })
        .await
    }

    async fn audit(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>, Error> {
        self.chain(after, most).await?.into_iter().map(audit::event).collect()
    }

    async fn chain(&self, after: i64, most: u32) -> Result<Vec<ChainRow>, Error> {
        within(audit::READ, async {
            let mut session = self.session(audit::READ).await?;
            let rows = audit::chain(&mut session, after, most).await;
            session.answer(rows).await
        })
        .await
    }
}
