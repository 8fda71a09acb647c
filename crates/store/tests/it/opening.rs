//! Whatever lies at the path, opening says in one sentence what is wrong, and changes nothing.

use std::path::Path;
use std::sync::Arc;

use holdfast_model::ManualClock;
use holdfast_store::{Error, Mode, OneProcess, RunFilter, SqliteStore, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::history::{Fixture, app};

async fn open(path: &Path, mode: Mode) -> Result<SqliteStore, Error> {
    SqliteStore::open(path, Arc::new(ManualClock::new(holdfast_model::Timestamp::UNIX_EPOCH)), mode).await
}

async fn refusal(path: &Path, mode: Mode) -> String {
    open(path, mode).await.unwrap_err().to_string()
}

/// Runs SQL on the file with nothing of ours between.
async fn raw(path: &Path, sql: &'static str) {
    let mut connection =
        SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_is_no_store_is_refused_in_every_mode_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "dear diary, ".repeat(1_000)).unwrap();
    let short = folder.path().join("short.db");
    std::fs::write(&short, "SQLite format 3\0").unwrap();
    let foreign = folder.path().join("foreign.db");
    raw(&foreign, "CREATE TABLE shopping (what TEXT)").await;
    for (path, words) in [
        (&garbage, "it is not an SQLite file"),
        (&short, "it is not an SQLite file"),
        (&foreign, "it is an SQLite file of another program"),
        (&folder.path().to_owned(), "it is a folder"),
    ] {
        let before = std::fs::read(path).ok();
        for mode in [Mode::Own, Mode::Join, Mode::Read] {
            let refusal = refusal(path, mode).await;
            assert!(refusal.contains(words) && refusal.contains(path.to_str().unwrap()), "{refusal}");
        }
        assert_eq!(std::fs::read(path).ok(), before);
    }
}

#[tokio::test]
async fn a_file_cut_short_is_called_damaged() {
    let fixture = Fixture::with_backups().await;
    fixture.store.close().await;
    let whole = std::fs::read(&fixture.path).unwrap();
    std::fs::write(&fixture.path, &whole[..whole.len() / 2]).unwrap();
    let refusal = refusal(&fixture.path, Mode::Own).await;
    assert!(refusal.contains("damaged or cut short"), "{refusal}");
    assert_eq!(std::fs::read(&fixture.path).unwrap().len(), whole.len() / 2);
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = refusal(&folder.path().join("nowhere/store.db"), Mode::Own).await;
    assert!(refusal.contains("nowhere does not exist"), "{refusal}");
}

#[tokio::test]
async fn a_file_that_is_missing_is_made_only_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    for mode in [Mode::Join, Mode::Read] {
        assert!(refusal(&path, mode).await.contains("there is no store there yet"));
        assert!(!path.exists());
    }
    std::fs::write(&path, "").unwrap();
    open(&path, Mode::Own).await.unwrap().close().await;
    open(&path, Mode::Join).await.unwrap();
}

#[tokio::test]
async fn a_read_only_folder_is_reported() {
    // No user can create a path under a file, not even root.
    let file = tempfile::NamedTempFile::new().unwrap();
    let refusal = refusal(&file.path().join("store.db"), Mode::Own).await;
    assert!(refusal.contains("cannot be inspected") || refusal.contains("does not exist"), "{refusal}");
    assert!(matches!(OneProcess::lock(&file.path().join("store.db")), Err(Error::Open { .. })));
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_was() {
    let fixture = Fixture::empty().await;
    fixture.store.close().await;
    raw(
        &fixture.path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', 1, x'00', 0); PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .await;
    let before = std::fs::read(&fixture.path).unwrap();
    for mode in [Mode::Own, Mode::Join, Mode::Read] {
        let error = open(&fixture.path, mode).await.unwrap_err();
        assert!(matches!(error, Error::NewerSchema { found: 9999, .. }), "{error:?}");
    }
    assert_eq!(std::fs::read(&fixture.path).unwrap(), before);
}

#[tokio::test]
async fn an_older_schema_is_reported_to_a_mode_that_may_not_migrate_it() {
    let fixture = Fixture::empty().await;
    fixture.store.close().await;
    let newest = "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    raw(&fixture.path, newest).await;
    for mode in [Mode::Join, Mode::Read] {
        let error = open(&fixture.path, mode).await.unwrap_err();
        assert!(matches!(error, Error::OlderSchema { found: 3, known: 4, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let fixture = Fixture::with_backups().await;
    let (runs, audit) =
        (fixture.store.runs(&RunFilter::default()).await.unwrap(), fixture.store.audit(0, 999).await);
    let audit = audit.unwrap();
    // Not closed: as after kill -9, the write-ahead log holds all.
    let again = open(&fixture.path, Mode::Own).await.unwrap();
    assert_eq!(again.runs(&RunFilter::default()).await.unwrap(), runs);
    assert_eq!(again.audit(0, 999).await.unwrap(), audit);
}

#[tokio::test]
async fn a_command_beside_the_owner_reads_and_writes_and_a_reader_reads_alone() {
    let mut fixture = Fixture::empty().await;
    let run = fixture.add("shop").await;
    let joined = open(&fixture.path, Mode::Join).await.unwrap();
    let reading = open(&fixture.path, Mode::Read).await.unwrap();
    let subscription = app("shop", None).id.subscription().clone();
    let until = run.created_at;
    joined.close_budget(&subscription, holdfast_model::Call::Read, until).await.unwrap();
    assert!(reading.load(run.id).await.unwrap().is_some());
    let error = reading.close_budget(&subscription, holdfast_model::Call::Read, until).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error:?}");
}

#[test]
fn one_process_works_on_a_file_until_it_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let held = OneProcess::lock(&path).unwrap();
    let refusal = OneProcess::lock(&path).unwrap_err();
    assert!(matches!(&refusal, Error::InUse(place) if *place == path));
    OneProcess::lock(&folder.path().join("other.db")).unwrap();
    drop(held);
    OneProcess::lock(&path).unwrap();
}
