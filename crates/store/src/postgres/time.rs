//! The store's time.

use std::sync::Arc;

use holdfast_model::{Clock, Timestamp};
use sqlx::PgConnection;

use super::PgStore;
use super::session::During;
use crate::Error;
use crate::columns::stamp;

/// Whose clock judges: the database's, because the machines that share it differ.
#[derive(Debug, Default)]
pub(super) struct Time(Option<Arc<dyn Clock>>);

impl Time {
    /// The time as it is when the connection gets to answer: after the locks it holds.
    pub async fn now(
        &self,
        connection: &mut PgConnection,
        operation: &'static str,
    ) -> Result<Timestamp, Error> {
        if let Some(clock) = &self.0 {
            return Ok(stamp(clock.now()));
        }
        let now = "/* now */ SELECT clock_timestamp()";
        sqlx::query_scalar(now).fetch_one(connection).await.during(operation).map(stamp)
    }

    /// The time that a statement told beside its answer.
    pub fn told(&self, by_database: Timestamp) -> Timestamp {
        stamp(self.0.as_ref().map_or(by_database, |clock| clock.now()))
    }
}

impl PgStore {
    /// The store with its time judged by `clock` in place of the database's: for tests, which set the time.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.time = Time(Some(clock));
        self
    }
}
