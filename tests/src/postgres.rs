//! A PostgreSQL database for one test.

use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Error};
use url::Url;

/// An empty database, dropped with this.
#[derive(Debug)]
pub struct Database {
    server: Url,
    name: String,
}

impl Database {
    /// A database on the server that `HOLDFAST_TEST_DATABASE_URL` names; `None` where tests go without.
    ///
    /// # Panics
    ///
    /// When it cannot be made, or the variable is not set.
    pub async fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = crate::service("HOLDFAST_TEST_DATABASE_URL")?;
        let server =
            Url::parse(&server).unwrap_or_else(|error| panic!("HOLDFAST_TEST_DATABASE_URL: {error}"));
        // The tests run as many processes, and each as many threads.
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let this = Self { server, name };
        let made = this.replace(true).await;
        made.unwrap_or_else(|error| panic!("failed to make the database {}: {error}", this.name));
        Some(this)
    }

    /// Its URL, as its owner.
    pub fn url(&self) -> SecretString {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        SecretString::from(url.to_string())
    }

    /// Its URL with another user and password.
    pub fn url_as(&self, user: &str, password: &str) -> SecretString {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        // This fails only for URLs without a host, and those name no server.
        let _ = url.set_username(user).and_then(|()| url.set_password(Some(password)));
        SecretString::from(url.to_string())
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection with nothing of Holdfast's between, as its owner.
    ///
    /// # Panics
    ///
    /// When the server is gone.
    pub async fn raw(&self) -> PgConnection {
        let connected = PgConnectOptions::from_url(&self.server).map(|options| options.database(&self.name));
        let connected = match connected {
            Ok(options) => options.disable_statement_logging().connect().await,
            Err(error) => Err(error),
        };
        connected.unwrap_or_else(|error| panic!("failed to connect to {}: {error}", self.name))
    }

    async fn replace(&self, make: bool) -> Result<(), Error> {
        let mut server =
            PgConnectOptions::from_url(&self.server)?.disable_statement_logging().connect().await?;
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut server).await?;
        if make {
            let make = format!("CREATE DATABASE {}", self.name);
            sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut server).await?;
        }
        Ok(())
    }
}

impl Drop for Database {
    /// On a thread of its own, because the test's own runtime may be ending.
    fn drop(&mut self) {
        let dropped = std::thread::scope(|scope| {
            let drop = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(self.replace(false)).map_err(std::io::Error::other)
            };
            scope.spawn(drop).join()
        });
        // A server that is already gone has taken the database with it.
        drop(dropped);
    }
}
