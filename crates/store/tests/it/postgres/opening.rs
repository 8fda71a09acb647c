//! Whatever answers at the URL, opening says in one sentence what is wrong, and never the password.

use std::str::FromStr;

use holdfast_store::{Error, Mode, PgStore, Store};
use holdfast_tests::postgres::Database;
use secrecy::{ExposeSecret, SecretString};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnectOptions;

use super::Fixture;

/// The whole error, as a log shows it.
async fn refusal(url: &SecretString, mode: Mode) -> String {
    let error = PgStore::connect(url, mode).await.unwrap_err();
    let mut words = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words = format!("{words} {cause} {cause:?}");
        source = cause.source();
    }
    words
}

fn changed(url: &SecretString, from: &str, to: &str) -> SecretString {
    let (url, from) = (url.expose_secret(), from.to_owned());
    assert!(url.contains(&from));
    SecretString::from(url.replace(&from, to))
}

#[tokio::test]
async fn a_fault_of_a_url_or_its_server_is_reported_without_the_password() {
    let Some(database) = Database::new().await else { return };
    let port = PgConnectOptions::from_str(database.url().expose_secret()).unwrap().get_port();
    let password = database.url_as("postgres", "hunter2-hunter2");
    for (url, words) in [
        (password.clone(), "the server refuses the user's password"),
        (changed(&database.url(), database.name(), "nowhere"), "has no database of this name"),
        (changed(&password, &format!(":{port}/"), ":1/"), "cannot be reached"),
        (changed(&password, "postgres://", "mysql://"), "is not a PostgreSQL URL"),
        (changed(&password, &format!(":{port}/"), ":port/"), "is not a PostgreSQL URL"),
        (SecretString::from("hunter2-hunter2"), "is not a PostgreSQL URL"),
        (changed(&database.url(), database.name(), "postgres?sslmode=require"), "TLS failed"),
    ] {
        let refusal = refusal(&url, Mode::Own).await;
        assert!(refusal.contains(words) && refusal.contains("failed to open the store"), "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_then_says_nothing_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://user:hunter2@{}/database", silent.local_addr().unwrap());
    let refusal = refusal(&SecretString::from(url), Mode::Own).await;
    assert!(refusal.contains("cannot be reached") && !refusal.contains("hunter2"), "{refusal}");
}

#[tokio::test]
async fn a_store_shows_its_place_and_not_its_password() {
    let Some(fixture) = Fixture::empty().await else { return };
    let shown = format!("{:?}", fixture.store);
    let url = fixture.database.url();
    let options = PgConnectOptions::from_str(url.expose_secret()).unwrap();
    assert!(shown.contains(fixture.database.name()), "{shown}");
    let password = url.expose_secret().split([':', '@']).nth(2).unwrap();
    assert!(!shown.contains(&format!(":{password}@")) && options.get_port() > 0, "{shown}");
}

#[tokio::test]
async fn an_empty_database_is_made_a_store_only_by_its_owner() {
    let Some(database) = Database::new().await else { return };
    for mode in [Mode::Join, Mode::Read] {
        assert!(refusal(&database.url(), mode).await.contains("there is no store there yet"));
    }
    PgStore::connect(&database.url(), Mode::Own).await.unwrap().close().await;
    PgStore::connect(&database.url(), Mode::Join).await.unwrap().now().await.unwrap();
}

#[tokio::test]
async fn many_processes_that_start_at_once_migrate_once() {
    let Some(database) = Database::new().await else { return };
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let url = database.url();
        starts.spawn(
            async move { PgStore::connect(&url, Mode::Own).await.unwrap().due_lanes().await.unwrap() },
        );
    }
    assert_eq!(starts.join_all().await.len(), 8);
}

#[tokio::test]
async fn a_newer_and_an_older_schema_are_reported() {
    let Some(fixture) = Fixture::empty().await else { return };
    let newest = "SELECT max(version) FROM _sqlx_migrations";
    let newest: i64 = sqlx::query_scalar(newest).fetch_one(&mut fixture.database.raw().await).await.unwrap();
    fixture
        .sql(&format!("UPDATE _sqlx_migrations SET version = 9999 WHERE version = {newest}"))
        .await
        .unwrap();
    for mode in [Mode::Own, Mode::Join, Mode::Read] {
        let error = PgStore::connect(&fixture.database.url(), mode).await.unwrap_err();
        assert!(matches!(error, Error::NewerSchema { found: 9999, .. }), "{error:?}");
    }
    fixture.sql("DELETE FROM _sqlx_migrations WHERE version = 9999").await.unwrap();
    for mode in [Mode::Join, Mode::Read] {
        let error = PgStore::connect(&fixture.database.url(), mode).await.unwrap_err();
        assert!(matches!(error, Error::OlderSchema { found, .. } if found == newest - 1), "{error:?}");
    }
    // The objects of its last migration still exist, and the migration creates them again.
    PgStore::connect(&fixture.database.url(), Mode::Own).await.unwrap();
}

#[tokio::test]
async fn a_schema_of_another_program_is_left_alone() {
    let tables = [
        "CREATE SCHEMA holdfast; CREATE TABLE holdfast.runs (what text)",
        "CREATE SCHEMA holdfast;
         CREATE TABLE holdfast._sqlx_migrations (version bigint, description text, success boolean);
         INSERT INTO holdfast._sqlx_migrations VALUES (9, 'shopping', true)",
    ];
    for table in tables {
        let Some(database) = Database::new().await else { return };
        sqlx::raw_sql(AssertSqlSafe(table)).execute(&mut database.raw().await).await.unwrap();
        let refusal = refusal(&database.url(), Mode::Own).await;
        assert!(refusal.contains("tables of another program"), "{refusal}");
        let found = "SELECT count(*) FROM pg_class WHERE relname = 'audit_events'";
        let found: i64 = sqlx::query_scalar(found).fetch_one(&mut database.raw().await).await.unwrap();
        assert_eq!(found, 0);
    }
}

#[tokio::test]
async fn tables_of_another_program_in_another_schema_do_not_matter() {
    let Some(database) = Database::new().await else { return };
    let tables =
        "CREATE TABLE public.runs (what text); CREATE TABLE public._sqlx_migrations (version bigint)";
    sqlx::raw_sql(AssertSqlSafe(tables)).execute(&mut database.raw().await).await.unwrap();
    let store = PgStore::connect(&database.url(), Mode::Own).await.unwrap();
    assert_eq!(store.audit(0, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_reader_writes_nothing() {
    let Some(mut fixture) = Fixture::empty().await else { return };
    let run = fixture.add("shop").await;
    let reading = PgStore::connect(&fixture.database.url(), Mode::Read).await.unwrap();
    assert!(reading.load(run.id).await.unwrap().is_some());
    let (subscription, until) = (run.app.subscription(), run.created_at);
    let error = reading.close_budget(subscription, holdfast_model::Call::Read, until).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error:?}");
}

#[tokio::test]
async fn the_audit_gets_its_partitions_when_a_process_starts() {
    let Some(fixture) = Fixture::empty().await else { return };
    let partitions = async || -> i64 {
        let count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_events'::regclass";
        sqlx::query_scalar(count).fetch_one(&mut fixture.database.raw().await).await.unwrap()
    };
    assert_eq!(partitions().await, 8, "this month, six more, and one for all else");
    let last =
        "SELECT max(relname::text) FROM pg_class WHERE relname LIKE 'audit_events_2%' AND relkind = 'r'";
    let last: String = sqlx::query_scalar(last).fetch_one(&mut fixture.database.raw().await).await.unwrap();
    fixture.sql(&format!("DROP TABLE {last}")).await.unwrap();
    PgStore::connect(&fixture.database.url(), Mode::Join).await.unwrap();
    assert_eq!(partitions().await, 8);
}

#[tokio::test]
async fn a_month_without_a_partition_prevents_neither_writes_nor_starts() {
    let Some(mut fixture) = Fixture::empty().await else { return };
    let this = "SELECT 'audit_events_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')";
    let this: String = sqlx::query_scalar(this).fetch_one(&mut fixture.database.raw().await).await.unwrap();
    fixture.sql(&format!("DROP TABLE {this}")).await.unwrap();
    fixture.add("shop").await;
    let store = PgStore::connect(&fixture.database.url(), Mode::Own).await.unwrap();
    assert_eq!(store.audit(0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn connections_that_died_fail_one_operation_at_most_and_come_back() {
    let Some(fixture) = Fixture::with_backups().await else { return };
    let store = PgStore::connect(&fixture.database.url(), Mode::Own).await.unwrap();
    store.now().await.unwrap();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'holdfast' AND pid <> pg_backend_pid()";
    fixture.sql(kill).await.unwrap();
    let mut failures = 0;
    while let Err(error) = store.now().await {
        assert!(matches!(error, Error::Driver { .. }), "{error:?}");
        failures += 1;
        assert!(failures <= 10, "as many as there are connections");
    }
    store.due_lanes().await.unwrap();
}

#[tokio::test]
async fn the_time_is_the_databases_to_the_millisecond() {
    let Some(fixture) = Fixture::empty().await else { return };
    let store = PgStore::connect(&fixture.database.url(), Mode::Join).await.unwrap();
    let before: holdfast_model::Timestamp =
        sqlx::query_scalar("SELECT now()").fetch_one(&mut fixture.database.raw().await).await.unwrap();
    let now = store.now().await.unwrap();
    assert_eq!(now.timestamp_subsec_nanos() % 1_000_000, 0);
    assert!(now.timestamp_millis() >= before.timestamp_millis());
    let board = store.due_lanes().await.unwrap();
    assert!(board.now >= now);
}
