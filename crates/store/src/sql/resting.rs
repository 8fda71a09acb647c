//! Connections that rest between operations, the last one on top.
//!
//! The pool pings each connection that comes back, and hands out the one that was idle longest. Meanwhile an operation that
//! follows at once would wait, or open another connection, which prepares each statement again.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scopeguard::ScopeGuard;
use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// A pool, and its connections that rest.
pub(crate) struct RestingPool<D: Database> {
    pub pool: Pool<D>,
    shelf: Arc<Shelf<D>>,
    /// One for each connection that may be in use. The pool does not know which of them rest.
    permits: Arc<Semaphore>,
}

/// The right to use a connection.
pub(crate) struct Turn<D: Database> {
    shelf: Arc<Shelf<D>>,
    permit: OwnedSemaphorePermit,
}

/// A connection during an operation. One that is dropped is closed and never used again, because its next answer would belong
/// to the work that was dropped, and so would its transaction.
pub(crate) struct Leased<D: Database> {
    connection: ScopeGuard<PoolConnection<D>, fn(PoolConnection<D>)>,
    turn: Turn<D>,
}

struct Shelf<D: Database>(Mutex<Vec<Rested<D>>>);

struct Rested<D: Database> {
    connection: PoolConnection<D>,
    since: Instant,
}

impl<D: Database> RestingPool<D> {
    /// Lets the connections of `pool` rest.
    pub fn of(pool: Pool<D>) -> Self {
        let permits = Arc::new(Semaphore::new(pool.options().get_max_connections() as usize));
        Self { pool, shelf: Arc::new(Shelf(Mutex::default())), permits }
    }

    /// Waits until a connection may be used, as long as the pool would.
    pub async fn turn(&self) -> sqlx::Result<Turn<D>> {
        let within = self.pool.options().get_acquire_timeout();
        let permit = tokio::time::timeout(within, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        Ok(Turn { shelf: Arc::clone(&self.shelf), permit })
    }

    /// Closes all connections, once their operations have ended.
    pub async fn close(&self) {
        self.permits.close();
        self.shelf.rested().clear();
        self.pool.close().await;
    }
}

impl<D: Database> Turn<D> {
    /// The last connection, if it has rested for `trusted` at most. Otherwise all go back to the pool.
    pub fn rested(&self, trusted: Duration) -> Option<PoolConnection<D>> {
        let mut rested = self.shelf.rested();
        let last = rested.pop()?;
        if last.since.elapsed() <= trusted {
            return Some(last.connection);
        }
        rested.clear();
        None
    }

    /// Uses a connection.
    pub fn with(self, connection: PoolConnection<D>) -> Leased<D> {
        let close: fn(PoolConnection<D>) = |mut connection| connection.close_on_drop();
        Leased { connection: scopeguard::guard(connection, close), turn: self }
    }
}

impl<D: Database> Leased<D> {
    /// Ends an operation that succeeded.
    pub fn rest(self) {
        let Self { connection, turn: Turn { shelf, permit } } = self;
        let connection = ScopeGuard::into_inner(connection);
        shelf.rested().push(Rested { connection, since: Instant::now() });
        drop(permit);
    }

    /// Ends an operation that failed. The pool pings the connection before it serves again.
    pub fn give_back(self) {
        drop(ScopeGuard::into_inner(self.connection));
    }
}

impl<D: Database> Shelf<D> {
    fn rested(&self) -> MutexGuard<'_, Vec<Rested<D>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Database> Drop for Shelf<D> {
    /// Closes what still rests. The pool would take it back in a task, and there may be no runtime any more.
    fn drop(&mut self) {
        for rested in self.rested().drain(..) {
            drop(rested.connection.detach());
        }
    }
}

impl<D: Database> fmt::Debug for RestingPool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestingPool").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl<D: Database> Deref for Leased<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        &self.connection
    }
}

impl<D: Database> DerefMut for Leased<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        &mut self.connection
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;
    use sqlx::Executor;
    use sqlx::sqlite::{Sqlite, SqlitePoolOptions};

    use super::*;

    /// A pool whose connections each have a database of their own, which ends with them.
    async fn pool() -> RestingPool<Sqlite> {
        let options = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
        RestingPool::of(options.connect("sqlite::memory:").await.unwrap())
    }

    async fn lease(pool: &RestingPool<Sqlite>, trusted: Duration) -> Leased<Sqlite> {
        let turn = pool.turn().await.unwrap();
        let connection = match turn.rested(trusted) {
            Some(connection) => connection,
            None => pool.pool.acquire().await.unwrap(),
        };
        turn.with(connection)
    }

    #[tokio::test]
    async fn the_next_operation_gets_the_connection_that_rests_and_never_one_that_was_dropped() {
        let pool = pool().await;
        let mut first = lease(&pool, Duration::MAX).await;
        first.execute("CREATE TABLE mark (id)").await.unwrap();
        first.rest();
        assert_eq!(pool.pool.num_idle(), 0);
        let mut second = lease(&pool, Duration::MAX).await;
        second.execute("SELECT * FROM mark").await.unwrap();
        second.give_back();
        let mut third = lease(&pool, Duration::MAX).await;
        third.execute("SELECT * FROM mark").await.unwrap();
        drop(third);
        let mut fourth = lease(&pool, Duration::MAX).await;
        assert!(fourth.execute("SELECT * FROM mark").await.is_err());
    }

    #[tokio::test]
    async fn who_waits_gets_the_connection_that_comes_to_rest() {
        let pool = pool().await;
        let first = lease(&pool, Duration::MAX).await;
        let mut waiting = Box::pin(lease(&pool, Duration::MAX));
        assert!(poll!(&mut waiting).is_pending());
        first.rest();
        waiting.await.rest();
        // The pool pings one that it no longer trusts.
        lease(&pool, Duration::ZERO).await.rest();
        pool.close().await;
        assert!(pool.turn().await.is_err());
    }
}
