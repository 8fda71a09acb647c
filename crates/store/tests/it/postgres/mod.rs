//! What only the PostgreSQL store, or its database, can get wrong.

mod attacks;
mod group_commit;
mod logins;
mod opening;
mod passwords;
mod rights;
mod scale;
mod sharing;
mod steps;
mod tampering;
mod unreadable_rows;
mod views;

use std::ops::{Deref, DerefMut};

use holdfast_store::{Mode, PgStore};
use holdfast_tests::postgres::Database;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::history::{History, machine_clock};

/// The PostgreSQL store, fixture.
pub struct Fixture {
    history: History<PgStore>,
    pub database: Database,
}

impl Fixture {
    /// `None` where tests go without servers.
    pub async fn empty() -> Option<Self> {
        let database = Database::new().await?;
        let clock = machine_clock();
        let store = PgStore::connect(&database.url(), Mode::Own).await.unwrap().with_clock(clock.clone());
        Some(Self { history: History::of(store, clock), database })
    }

    pub async fn with_backups() -> Option<Self> {
        let mut this = Self::empty().await?;
        this.backups().await;
        Some(this)
    }

    /// With runs of every kind, and notes.
    pub async fn with_every_kind() -> Option<Self> {
        let mut this = Self::with_backups().await?;
        this.tasks_and_actions().await;
        Some(this)
    }

    /// A connection on which no trigger fires, as a superuser may open one.
    pub async fn unguarded(&self) -> PgConnection {
        let mut connection = self.database.raw().await;
        let off = "SET session_replication_role = replica";
        sqlx::raw_sql(off).execute(&mut connection).await.unwrap();
        connection
    }

    /// Runs SQL with nothing of ours between, as the owner.
    pub async fn sql(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&mut self.database.raw().await).await.map(|_| ())
    }
}

impl Deref for Fixture {
    type Target = History<PgStore>;

    fn deref(&self) -> &Self::Target {
        &self.history
    }
}

impl DerefMut for Fixture {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.history
    }
}
