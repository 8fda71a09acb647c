//! The SQL face: the same views, columns and answers as the other stores'.

use sqlx::{AssertSqlSafe, Row};

use super::Fixture;
use crate::views::{ANSWERS, DOCS};

#[tokio::test]
async fn the_views_answer_what_happened_here_too() {
    let Some(fixture) = Fixture::with_every_kind().await else { return };
    let mut connection = fixture.database.raw().await;
    for (query, expected) in ANSWERS {
        let rows = sqlx::query(query).fetch_all(&mut connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{query}: {error}"));
        let texts: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(texts.len(), expected, "{query}");
    }
}

#[tokio::test]
async fn the_views_are_those_of_the_page_with_each_of_their_columns() {
    let Some(fixture) = Fixture::empty().await else { return };
    let mut connection = fixture.database.raw().await;
    let columns = "SELECT table_name::text, column_name::text FROM information_schema.columns
        WHERE table_name IN (SELECT viewname FROM pg_views WHERE schemaname = 'holdfast')";
    let columns: Vec<(String, String)> = sqlx::query_as(columns).fetch_all(&mut connection).await.unwrap();
    let documented: Vec<&str> = DOCS.split("\n### ").skip(1).collect();
    for section in &documented {
        let view = section.lines().next().unwrap();
        assert!(columns.iter().any(|(table, _)| table == view), "{view} is not a view");
    }
    for (view, column) in &columns {
        let section = documented.iter().find(|section| section.lines().next() == Some(view.as_str()));
        let section = section.unwrap_or_else(|| panic!("{view} is not on the page"));
        assert!(section.contains(&format!("`{column}`")), "{view}.{column} is not on the page");
    }
}

/// The queries that the page shows for this store.
fn documented() -> Vec<&'static str> {
    DOCS.split("```postgresql\n").skip(1).map(|block| block.split_once("```").unwrap().0).collect()
}

#[tokio::test]
async fn every_query_of_the_page_runs_and_finds_something() {
    let Some(fixture) = Fixture::with_every_kind().await else { return };
    let mut connection = fixture.database.raw().await;
    assert!(!documented().is_empty());
    for query in documented() {
        let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(&mut connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{query}: {error}"));
        assert!(!rows.is_empty(), "{query} finds nothing");
    }
}

#[tokio::test]
async fn the_newest_good_backups_are_never_due_however_old() {
    let Some(fixture) = Fixture::with_backups().await else { return };
    fixture.sql("UPDATE apps SET retention = '{\"days\":1,\"keep_at_least\":2}'").await.unwrap();
    let mut connection = fixture.database.raw().await;
    let due = "SELECT (accepted_at = (SELECT min(accepted_at) FROM backups WHERE app LIKE '%/shop'))::text
        FROM retention_due WHERE app LIKE '%/shop'";
    let due: Vec<String> = sqlx::query_scalar(due).fetch_all(&mut connection).await.unwrap();
    assert_eq!(due, ["true"]);
}

#[tokio::test]
async fn an_event_with_signs_that_jsonb_does_not_know_is_kept_and_shown() {
    let Some(mut fixture) = Fixture::empty().await else { return };
    let run = fixture.add("shop").await;
    let detail = "a\u{0}b \\u0000 \u{1f4be}\"".to_owned();
    let (cause, until) = (holdfast_model::Cause::Busy, run.created_at);
    let deferred = holdfast_model::RunEvent::Deferred { cause, detail: detail.clone(), until };
    fixture.happen(run.clone(), vec![deferred.clone()]).await;
    let events = holdfast_store::Store::events(&fixture.store, run.id).await.unwrap();
    assert_eq!(events[1].event, deferred);
    let shown = sqlx::query_scalar("SELECT detail FROM deferrals WHERE cause = 'busy'");
    let shown: String = shown.fetch_one(&mut fixture.database.raw().await).await.unwrap();
    assert_eq!(shown, "a\u{fffd}b \\ufffd \u{1f4be}\"");
}
