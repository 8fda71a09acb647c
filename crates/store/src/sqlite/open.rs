//! Opening a file. It is inspected first without writing, so that whatever is wrong is one clear error and nothing is
//! changed.

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use holdfast_model::Clock;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::error::{Error, Result};
use crate::migrations::migrator;
use crate::mode::Mode;
use crate::sql::resting::RestingPool;
use crate::sqlite::database::{SqliteFile, SqliteStore};
use crate::sqlite::driver::{BUSY, CANNOT_OPEN, CORRUPT, FULL, NOT_A_DATABASE, READ_ONLY, primary_code};
use crate::unreadable::UnreadableLog;

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    migrator(&[
        ("0001_fleet_and_runs.sql", include_str!("../../../../migrations/sqlite/0001_fleet_and_runs.sql")),
        ("0002_audit.sql", include_str!("../../../../migrations/sqlite/0002_audit.sql")),
        ("0003_catalog.sql", include_str!("../../../../migrations/sqlite/0003_catalog.sql")),
        ("0004_views.sql", include_str!("../../../../migrations/sqlite/0004_views.sql")),
    ])
});

/// `PRAGMA application_id` of a store: the letters HDFD.
const APPLICATION_ID: i64 = 0x4844_4644;

/// How long to wait for a transaction of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The number of read-only connections beside the writing connection.
const READERS: u32 = 4;

/// Memory for the pages of each connection: negative, in KiB. With the default of 2 MiB, most steps read their pages again.
const CACHE: &str = "-8192";

/// Pages in the write-ahead log after which they are moved to the file, which flushes both: 32 MiB. With the default of 4 MiB
/// every large transaction pays for it.
const LOG_PAGES: &str = "8192";

/// Rows that a connection's thread reads ahead. With the default of 50 the threads wake each other for every group.
const ROWS: usize = 1_000;

impl SqliteStore {
    /// Opens the store in the file at `path`, whose time is `clock`'s.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>, mode: Mode) -> Result<Self> {
        let place = Place(path);
        let by_itself = match place.inspect().await? {
            Found::Nothing if mode == Mode::Own => false,
            Found::Nothing => {
                return Err(place.wrong("there is no store there yet; `holdfast run` makes one"));
            }
            Found::Schema { found, by_itself } => {
                place.fits(found, mode)?;
                by_itself && mode == Mode::Read
            }
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(mode == Mode::Own)
            .read_only(mode == Mode::Read)
            .immutable(by_itself)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", CACHE)
            .pragma("temp_store", "memory")
            .pragma("wal_autocheckpoint", LOG_PAGES)
            .row_buffer_size(ROWS)
            .disable_statement_logging();
        let writing = if mode == Mode::Read {
            options.clone()
        } else {
            options.clone().journal_mode(SqliteJournalMode::Wal)
        };
        let pool = |most| SqlitePoolOptions::new().max_connections(most).test_before_acquire(false);
        let writer = pool(1).connect_with(writing).await.map_err(|error| place.failed(error))?;
        if mode == Mode::Own {
            MIGRATIONS.run(&writer).await.map_err(|error| place.unmigrated(error))?;
        }
        let readers = pool(READERS).connect_with(options.read_only(true).create_if_missing(false)).await;
        let readers = readers.map_err(|error| place.failed(error))?;
        let writer = RestingPool::of(writer);
        Ok(Self { database: SqliteFile { clock, writer, readers, log: UnreadableLog::default() } })
    }
}

enum Found {
    /// No file, or an empty one.
    Nothing,
    /// A store of the schema `found`; 0 when its first migration was interrupted.
    Schema {
        found: i64,
        /// Whether it is only readable without the files that SQLite makes beside it, as in a folder that may not be
        /// written.
        by_itself: bool,
    },
}

struct Place<'a>(&'a Path);

impl Place<'_> {
    async fn inspect(&self) -> Result<Found> {
        match std::fs::metadata(self.0) {
            Ok(file) if file.is_dir() => return Err(self.wrong("it is a folder; name a file inside it")),
            Ok(file) if file.len() == 0 => return Ok(Found::Nothing),
            Ok(file) => self.is_whole(file.len())?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return self.folder().map(|()| Found::Nothing);
            }
            Err(error) => return Err(self.wrong(&format!("it cannot be inspected: {error}"))),
        }
        let options = SqliteConnectOptions::new().filename(self.0).read_only(true).busy_timeout(BUSY_TIMEOUT);
        let (inspected, by_itself) = match inspect_with(&options).await {
            // No process uses the store: while one does, the log is there.
            Err(error)
                if matches!(primary_code(&error), Some(CANNOT_OPEN | READ_ONLY)) && !self.is_logged() =>
            {
                (inspect_with(&options.immutable(true)).await, true)
            }
            inspected => (inspected, false),
        };
        let (application_id, tables, found) = inspected.map_err(|error| self.failed(error))?;
        match (application_id, tables) {
            (APPLICATION_ID, _) => Ok(Found::Schema { found, by_itself }),
            // Only the migrations' own table: the first migration was interrupted.
            (0, 0) => Ok(Found::Schema { found: 0, by_itself }),
            _ => Err(self.wrong("it is an SQLite file of another program; name another file with --store")),
        }
    }

    /// Compares the file's length with the one in its header (sqlite.org/fileformat.html, section 1.3). While there is
    /// a write-ahead log, pages may still be waiting in it.
    fn is_whole(&self, length: u64) -> Result<()> {
        let mut header = [0_u8; 100];
        let read = std::fs::File::open(self.0).and_then(|mut file| file.read_exact(&mut header));
        match read {
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                return Err(self.wrong(&format!("it cannot be read: {error}")));
            }
            Ok(()) if header.starts_with(b"SQLite format 3\0") => {}
            _ => return Err(self.wrong(NOT_SQLITE)),
        }
        let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            bytes => u64::from(bytes),
        };
        let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
        let whole = self.is_logged() || header[24..28] != header[92..96] || length >= pages * page_bytes;
        if whole { Ok(()) } else { Err(self.wrong(DAMAGED)) }
    }

    /// Whether there is a write-ahead log with content.
    fn is_logged(&self) -> bool {
        let mut wal = self.0.as_os_str().to_owned();
        wal.push("-wal");
        std::fs::metadata(wal).is_ok_and(|wal| wal.len() > 0)
    }

    fn folder(&self) -> Result<()> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        match folder {
            Some(folder) if !folder.is_dir() => {
                Err(self.wrong(&format!("the folder {} does not exist; make it first", folder.display())))
            }
            _ => Ok(()),
        }
    }

    fn fits(&self, found: i64, mode: Mode) -> Result<()> {
        let place = self.0.display().to_string();
        let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
        if found > known {
            return Err(Error::NewerSchema { place, found, known });
        }
        if found < known && mode != Mode::Own {
            return Err(Error::OlderSchema { place, found, known });
        }
        Ok(())
    }

    fn unmigrated(&self, error: MigrateError) -> Error {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => self.failed(error),
            error => self.wrong(&format!("its schema cannot be brought up to date: {error}")),
        }
    }

    fn failed(&self, error: sqlx::Error) -> Error {
        let why = match primary_code(&error) {
            Some(NOT_A_DATABASE) => NOT_SQLITE,
            Some(CORRUPT) => DAMAGED,
            Some(CANNOT_OPEN) => {
                "the file cannot be opened; check that it, and its folder, may be read and written"
            }
            Some(READ_ONLY) => "it may only be read; check the permissions of the file and its folder",
            Some(FULL) => "the disk is full; free some space",
            Some(BUSY) => "another process kept it busy; try again",
            _ => "SQLite failed",
        };
        Error::Open { place: self.0.display().to_string(), why: why.to_owned(), source: Some(error) }
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Open { place: self.0.display().to_string(), why: why.to_owned(), source: None }
    }
}

const NOT_SQLITE: &str = "it is not an SQLite file; name another file with --store";
const DAMAGED: &str =
    "the file is damaged or cut short; restore it from a copy, or start a new one with --store";

async fn inspect_with(options: &SqliteConnectOptions) -> Result<(i64, i64, i64), sqlx::Error> {
    let mut connection = options.connect().await?;
    let found = inspect_schema(&mut connection).await?;
    connection.close().await.map(|()| found)
}

async fn inspect_schema(connection: &mut SqliteConnection) -> Result<(i64, i64, i64), sqlx::Error> {
    let application_id =
        sqlx::query_scalar("/* inspect */ PRAGMA application_id").fetch_one(&mut *connection).await?;
    let tables = "/* inspect */ SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name <> '_sqlx_migrations'";
    let tables = sqlx::query_scalar(tables).fetch_one(&mut *connection).await?;
    let migrated = "/* inspect */ SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let migrated: i64 = sqlx::query_scalar(migrated).fetch_one(&mut *connection).await?;
    if migrated == 0 {
        return Ok((application_id, tables, 0));
    }
    let schema = "/* inspect */ SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";
    let schema = sqlx::query_scalar(schema).fetch_one(connection).await?;
    Ok((application_id, tables, schema))
}
