//! A PostgreSQL database for one test.

use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Error};
use url::Url;

/// An empty database. Dropping this value drops the database.
#[derive(Debug)]
pub struct Database {
    server: Url,
    name: String,
}

/// The roles of a database.
#[derive(Debug)]
pub struct Roles {
    /// Runs Holdfast.
    pub app: String,
    /// Reads.
    pub auditor: String,
}

impl Database {
    /// Creates a database on the server of `HOLDFAST_TEST_DATABASE_URL`. `None` when tests run without servers.
    ///
    /// # Panics
    ///
    /// If the database cannot be created, or the variable is not set.
    pub async fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = crate::service("HOLDFAST_TEST_DATABASE_URL")?;
        let server =
            Url::parse(&server).unwrap_or_else(|error| panic!("HOLDFAST_TEST_DATABASE_URL: {error}"));
        // The tests run in many processes, each with many threads.
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let this = Self { server, name };
        let made = this.replace(true).await;
        made.unwrap_or_else(|error| panic!("failed to make the database {}: {error}", this.name));
        Some(this)
    }

    /// The URL for the owner.
    pub fn url(&self) -> SecretString {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        SecretString::from(url.to_string())
    }

    /// The URL with another user and password.
    pub fn url_as(&self, user: &str, password: &str) -> SecretString {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        // This fails only for URLs without a host.
        let _ = url.set_username(user).and_then(|()| url.set_password(Some(password)));
        SecretString::from(url.to_string())
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Creates the roles of this database that the page on roles tells of, and grants them what the page grants.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn grant(&self) -> Roles {
        let roles = Roles { app: format!("{}_app", self.name), auditor: format!("{}_auditor", self.name) };
        let grants = include_str!("../../deploy/postgres/grants.sql");
        let grants = grants.replace(":\"database\"", &self.name);
        let grants = grants.replace(":\"app\"", &roles.app).replace(":\"auditor\"", &roles.auditor);
        let Roles { app, auditor } = &roles;
        let sql = format!("CREATE ROLE {app} NOLOGIN; CREATE ROLE {auditor} NOLOGIN; {grants}");
        let granted = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.raw().await).await;
        granted.unwrap_or_else(|error| panic!("failed to grant in {}: {error}", self.name));
        roles
    }

    /// Creates a login with this password that may do what the processes do. Returns its name.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn app_login(&self, password: &str) -> String {
        let (roles, name) = (self.grant().await, format!("{}_login", self.name));
        let sql = format!("CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE {}", roles.app);
        let created = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.raw().await).await;
        created.unwrap_or_else(|error| panic!("failed to create {name}: {error}"));
        name
    }

    /// Opens a plain connection as the owner. Names resolve in Holdfast's schema, then in `public`.
    ///
    /// # Panics
    ///
    /// If the server is unreachable.
    pub async fn raw(&self) -> PgConnection {
        let connected = PgConnectOptions::from_url(&self.server)
            .map(|options| options.database(&self.name).options([("search_path", "holdfast,public")]));
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
        for role in ["login", "app", "auditor"] {
            let drop = format!("DROP ROLE IF EXISTS {}_{role}", self.name);
            sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut server).await?;
        }
        if make {
            let make = format!("CREATE DATABASE {}", self.name);
            sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut server).await?;
        }
        Ok(())
    }
}

impl Drop for Database {
    /// Runs on its own thread, because the test's runtime may be shutting down.
    fn drop(&mut self) {
        let dropped = std::thread::scope(|scope| {
            let drop = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(self.replace(false)).map_err(std::io::Error::other)
            };
            scope.spawn(drop).join()
        });
        // An error means that the server, and the database with it, is already gone.
        drop(dropped);
    }
}
