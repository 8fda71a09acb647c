//! Opening a database. It is inspected first, so that whatever is wrong is one clear error and nothing is changed.

use std::sync::{Arc, LazyLock};

use holdfast_model::PasswordSource;
use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use crate::error::{Error, Result};
use crate::migrations::migrator;
use crate::mode::Mode;
use crate::postgres::connections::{CONNECT_TIMEOUT, Connections};
use crate::postgres::database::{PgStore, Postgres};
use crate::postgres::database_url::parse;
use crate::postgres::driver::{
    CANNOT_CONNECT_NOW, DISK_FULL, NO_DATABASE, NO_PRIVILEGE, REFUSED, SCHEMA_EXISTS, TABLE_EXISTS,
    TOO_MANY_CONNECTIONS, UNIQUE_VIOLATION, WRONG_PASSWORD, code,
};
use crate::unreadable::UnreadableLog;

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    migrator(&[
        ("0001_fleet_and_runs.sql", include_str!("../../../../migrations/postgres/0001_fleet_and_runs.sql")),
        ("0002_audit.sql", include_str!("../../../../migrations/postgres/0002_audit.sql")),
        ("0003_catalog.sql", include_str!("../../../../migrations/postgres/0003_catalog.sql")),
        ("0004_views.sql", include_str!("../../../../migrations/postgres/0004_views.sql")),
        ("0005_privileges.sql", include_str!("../../../../migrations/postgres/0005_privileges.sql")),
    ])
});

/// The oldest major version of the server that the migrations run on.
const OLDEST_SERVER: i32 = 14;

/// The server's limits on a statement, a wait for a lock, and a transaction whose client is silent.
const SERVER_LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "20s"), ("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "15s")];

/// What every connection sets for itself, whatever the server, the database, the role or the URL say. A confirmed commit
/// is on the server's disk (and on its synchronous replicas), each statement sees what was committed before it, and names
/// resolve in pg_catalog and in the schema whose owner alone may create there: nobody's function stands in for another.
const PINNED: [(&str, &str); 3] = [
    ("synchronous_commit", "on"),
    ("default_transaction_isolation", "read committed"),
    ("search_path", "holdfast,pg_temp"),
];

impl PgStore {
    /// Opens the store in the database at `url`. [`Mode::Own`] migrates it to this program's schema; any number of
    /// processes may do so at once.
    pub async fn connect(url: &SecretString, mode: Mode) -> Result<Self> {
        Self::connect_with(url, None, mode).await
    }

    /// Opens the store; each connection logs in with the password that `passwords` has then, where it is given.
    pub async fn connect_with(
        url: &SecretString,
        passwords: Option<Arc<dyn PasswordSource>>,
        mode: Mode,
    ) -> Result<Self> {
        let mut options = options(url)?;
        let credential = passwords.as_ref().map(|passwords| passwords.credential().to_owned());
        let place = Place { name: place(&options), user: options.get_username().to_owned(), credential };
        if let Some(passwords) = &passwords {
            let password = passwords.password().await.map_err(|why| place.wrong(&why.to_string()))?;
            options = options.password(password.secret.expose_secret());
        }
        let mut connection = place.reach(&options).await?;
        let found = place.inspect(&mut connection).await?;
        place.fits(found, mode)?;
        // A login that is not the owner cannot migrate, and need not when the schema is current.
        if found != Some(known()) {
            place.make_schema(&mut connection).await?;
            place.migrate(&options).await?;
        }
        if mode != Mode::Read {
            place.make_partitions(&mut connection).await;
        }
        connection.close().await.map_err(|error| place.failed(error))?;
        let connections = Connections::new(limited(options, mode), passwords);
        let database =
            Postgres { place: place.name, connections, clock: None, log: UnreadableLog::default() };
        Ok(Self { database })
    }
}

/// The options in the URL, with what every connection has.
fn options(url: &SecretString) -> Result<PgConnectOptions> {
    let options = parse(url)?;
    let named = options.get_application_name().is_some();
    let options = if named { options } else { options.application_name("holdfast") };
    // The last setting of a name wins, so these outweigh those of the URL.
    Ok(options.options(PINNED).disable_statement_logging())
}

/// The database as people know it, without the password.
fn place(options: &PgConnectOptions) -> String {
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let user = options.get_username();
    format!("{}@{host}/{}", user, options.get_database().unwrap_or(user))
}

/// The options of the pool: the server limits what an operation may take.
fn limited(options: PgConnectOptions, mode: Mode) -> PgConnectOptions {
    let options = options.options(SERVER_LIMITS);
    if mode == Mode::Read { options.options([("default_transaction_read_only", "on")]) } else { options }
}

/// The newest migration of this program.
fn known() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The database as people know it, and how this process logs in.
struct Place {
    name: String,
    user: String,
    /// The credential whose tokens are the passwords, if any.
    credential: Option<String>,
}

impl Place {
    async fn reach(&self, options: &PgConnectOptions) -> Result<PgConnection> {
        match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
            Ok(reached) => reached.map_err(|error| self.failed(error)),
            Err(_) => Err(self.wrong(UNREACHABLE)),
        }
    }

    /// The store's schema; 0 when its first migration was interrupted, `None` when there is no store.
    async fn inspect(&self, connection: &mut PgConnection) -> Result<Option<i64>> {
        let (server, migrated) =
            inspect_server(&mut *connection).await.map_err(|error| self.failed(error))?;
        if server / 10_000 < OLDEST_SERVER {
            let found = server / 10_000;
            return Err(self.wrong(&format!(
                "its server is PostgreSQL {found}, and Holdfast needs {OLDEST_SERVER} or newer"
            )));
        }
        if !migrated {
            return Ok(None);
        }
        let (first, schema) = inspect_schema(connection).await.map_err(|error| self.failed(error))?;
        let ours = MIGRATIONS.iter().next().map(|migration| migration.description.to_string());
        if first.is_some() && first != ours {
            return Err(self.wrong(FOREIGN));
        }
        Ok(Some(schema))
    }

    fn fits(&self, found: Option<i64>, mode: Mode) -> Result<()> {
        let (place, known) = (self.name.clone(), known());
        match found {
            Some(found) if found > known => Err(Error::NewerSchema { place, found, known }),
            Some(found) if found < known && mode != Mode::Own => {
                Err(Error::OlderSchema { place, found, known })
            }
            None if mode != Mode::Own => {
                Err(self.wrong("there is no store there yet; `holdfast migrate` makes one"))
            }
            _ => Ok(()),
        }
    }

    /// Creates the schema where there is none. The schema of another role is refused, because its owner could replace
    /// everything in it.
    async fn make_schema(&self, connection: &mut PgConnection) -> Result<()> {
        let find = "/* inspect */ SELECT nspowner::regrole::text, pg_has_role(nspowner, 'USAGE')
            FROM pg_catalog.pg_namespace WHERE nspname = 'holdfast'";
        let find = async |connection: &mut PgConnection| {
            let found = sqlx::query_as::<_, (String, bool)>(find).fetch_optional(connection).await;
            found.map_err(|error| self.failed(error))
        };
        let mut found = find(connection).await?;
        if found.is_none() {
            let created =
                sqlx::query("/* make_schema */ CREATE SCHEMA holdfast").execute(&mut *connection).await;
            match created {
                Ok(_) => return Ok(()),
                // Another process was faster.
                Err(error) if matches!(code(&error).as_deref(), Some(SCHEMA_EXISTS | UNIQUE_VIOLATION)) => {
                    found = find(connection).await?;
                }
                Err(error) => return Err(self.failed(error)),
            }
        }
        match found {
            Some((_, true)) | None => Ok(()),
            Some((owner, false)) => Err(self.wrong(&format!(
                "its schema holdfast belongs to {owner}; migrate as that role, or let a superuser drop the schema \
                 if {owner} is not Holdfast's owner"
            ))),
        }
    }

    /// Migrates the schema, on a connection without time limits.
    async fn migrate(&self, options: &PgConnectOptions) -> Result<()> {
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
        let migrated = MIGRATIONS.run(&pool).await;
        pool.close().await;
        migrated.map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => self.failed(error),
            error => self.wrong(&format!("its schema cannot be brought up to date: {error}")),
        })
    }

    /// Creates the audit's partitions of the coming months. A failure blocks no write, because the default partition takes
    /// events of any other month.
    async fn make_partitions(&self, connection: &mut PgConnection) {
        let make = "/* make_partitions */ SELECT holdfast.make_audit_partitions()";
        if let Err(error) = sqlx::query(make).execute(connection).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                store = self.name,
                "failed to create the audit's next partitions"
            );
        }
    }

    /// What to do about a token that the server refuses: PostgreSQL of Azure knows principals of Entra that it was told of.
    fn token_refused(&self, credential: &str) -> String {
        format!(
            "the server refuses the token of {credential} for this user; let an Entra administrator of the server run \
             `SELECT * FROM pgaadauth_create_principal('{}', false, false)` in the database postgres, with the name of that \
             identity, and grant it the role in docs/audit.md, \"PostgreSQL: roles\"",
            self.user
        )
    }

    fn failed(&self, error: sqlx::Error) -> Error {
        let code = code(&error);
        if let (Some(credential), Some(WRONG_PASSWORD | REFUSED)) = (&self.credential, code.as_deref()) {
            let why = self.token_refused(credential);
            return Error::Open { place: self.name.clone(), why, source: Some(error) };
        }
        let why = match (&error, code.as_deref()) {
            (_, Some(WRONG_PASSWORD)) => "the server refuses the user's password; check database_url",
            (_, Some(REFUSED)) => {
                "the server refuses the user; check database_url, and the server's pg_hba.conf"
            }
            (_, Some(NO_DATABASE)) => {
                "the server has no database of this name; make it first, or check database_url"
            }
            (_, Some(NO_PRIVILEGE)) => {
                "the user lacks a privilege; let the database's owner run `holdfast migrate`, and grant the user the privileges in docs/audit.md, \"PostgreSQL: roles\""
            }
            (_, Some(TABLE_EXISTS)) => FOREIGN,
            (_, Some(TOO_MANY_CONNECTIONS)) => "the server has no connection left; raise its max_connections",
            (_, Some(CANNOT_CONNECT_NOW)) => "the server is starting or stopping; try again",
            (_, Some(DISK_FULL)) => "the server's disk is full; free some space",
            (sqlx::Error::Io(_), _) => UNREACHABLE,
            (sqlx::Error::Tls(_), _) => "TLS failed; check sslmode and sslrootcert in database_url",
            _ => "PostgreSQL failed",
        };
        Error::Open { place: self.name.clone(), why: why.to_owned(), source: Some(error) }
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Open { place: self.name.clone(), why: why.to_owned(), source: None }
    }
}

const UNREACHABLE: &str =
    "the server cannot be reached; check that it runs, and the host and port in database_url";
const FOREIGN: &str = "the database has tables of another program; give Holdfast a database of its own";

async fn inspect_server(connection: &mut PgConnection) -> Result<(i32, bool), sqlx::Error> {
    let inspect = "/* inspect */ SELECT pg_catalog.current_setting('server_version_num')::integer,
            pg_catalog.to_regclass('holdfast._sqlx_migrations') IS NOT NULL";
    sqlx::query_as(inspect).fetch_one(connection).await
}

async fn inspect_schema(connection: &mut PgConnection) -> Result<(Option<String>, i64), sqlx::Error> {
    let inspect = "/* inspect */ SELECT (SELECT description FROM _sqlx_migrations ORDER BY version LIMIT 1),
            (SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success)";
    sqlx::query_as(inspect).fetch_one(connection).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_pins_durable_commits_and_the_isolation_whatever_the_url_says() {
        let own = "options=-c%20search_path%3Dpublic%20-c%20synchronous_commit%3Doff%20-c%20default_transaction_isolation%3Dserializable";
        for query in ["", own] {
            let url = SecretString::from(format!("postgres://user@host/db?{query}"));
            let options = options(&url).unwrap();
            let set = options.get_options().unwrap();
            let durable = r"-c synchronous_commit=on -c default_transaction_isolation=read\ committed";
            let pinned = format!("{durable} -c search_path=holdfast,pg_temp");
            assert!(set.ends_with(&pinned), "{set}");
        }
    }
}
