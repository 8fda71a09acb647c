//! The SQL face: every view, and every query that docs/audit.md shows.

use sqlx::{AssertSqlSafe, Row};

use crate::filled::Filled;

pub const DOCS: &str = include_str!("../../../../docs/audit.md");

/// The queries of the page, without what they printed.
fn documented() -> Vec<&'static str> {
    DOCS.split("```sql\n").skip(1).map(|block| block.split_once("```").unwrap().0).collect()
}

#[tokio::test]
async fn every_query_of_the_page_runs_and_finds_something() {
    let filled = Filled::new().await;
    let mut connection = filled.raw().await;
    assert!(documented().len() > 12);
    for query in documented() {
        let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(&mut connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{query}: {error}"));
        assert!(!rows.is_empty(), "{query} finds nothing");
    }
}

#[tokio::test]
async fn every_view_is_on_the_page_with_each_of_its_columns() {
    let filled = Filled::new().await;
    let mut connection = filled.raw().await;
    let views = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'view'");
    let views: Vec<String> = views.fetch_all(&mut connection).await.unwrap();
    assert!(views.len() > 12);
    for view in views {
        let heading = format!("### {view}\n");
        let (_, section) = DOCS.split_once(&heading).unwrap_or_else(|| panic!("{view} is not on the page"));
        let section = section.split("\n### ").next().unwrap();
        let columns = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)").bind(&view);
        let columns: Vec<String> = columns.fetch_all(&mut connection).await.unwrap();
        for column in columns {
            assert!(section.contains(&format!("`{column}`")), "{view}.{column} is not on the page");
        }
    }
}

/// Queries that every store understands, and how many rows each finds. The first column is text.
pub const ANSWERS: [(&str, usize); 17] = [
    ("SELECT app || size_bytes FROM latest_good_backup WHERE app LIKE '%/shop'", 1),
    (
        "SELECT app FROM apps_past_objective WHERE late_s > 0 AND (app LIKE '%/shop' OR last_good_at IS NULL)",
        2,
    ),
    ("SELECT app FROM apps_in_no_policy WHERE app LIKE '%/stray'", 1),
    (
        "SELECT status FROM attempts WHERE status = 'Succeeded' AND cause IS NULL AND accepted_at IS NOT NULL",
        3,
    ),
    ("SELECT status FROM attempts WHERE status = 'TimedOut' AND cause = 'timed_out' AND attempt = 1", 1),
    ("SELECT status FROM attempts WHERE status = 'PartiallySucceeded' AND attempt = 2", 1),
    ("SELECT status FROM attempts", 5),
    ("SELECT outcome FROM run_outcomes WHERE outcome = 'missed' AND cause = 'overlap' AND runs = 1", 1),
    ("SELECT reason FROM missed_ticks WHERE reason = 'overlap' AND app LIKE '%/blog'", 1),
    ("SELECT reason FROM sas_refreshes WHERE reason = 'first' AND old_expiry IS NULL", 3),
    ("SELECT storage FROM sas_expiring WHERE storage = 'weu' AND left_s < 7 * 86400", 1),
    // 39 and 35 days old; the third is young, and the partial one counts as old only after 30 days.
    ("SELECT app FROM retention_due WHERE app LIKE '%/shop' AND good", 2),
    ("SELECT app FROM retention_due", 2),
    ("SELECT app FROM time_to_start WHERE wait_s = 42", 3),
    ("SELECT cause FROM deferrals WHERE cause = 'throttled' AND pause_s = 17", 1),
    ("SELECT made FROM backups WHERE made = 'attempt' AND NOT good AND backup_id = 3", 1),
    ("SELECT app FROM backups", 4),
];

async fn texts(filled: &Filled, query: &'static str) -> Vec<String> {
    let rows = sqlx::query(query).fetch_all(&mut filled.raw().await).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

#[tokio::test]
async fn the_views_answer_what_happened() {
    let filled = Filled::new().await;
    for (query, expected) in ANSWERS {
        assert_eq!(texts(&filled, query).await.len(), expected, "{query}");
    }
}

#[tokio::test]
async fn the_newest_good_backups_are_never_due_however_old() {
    let filled = Filled::new().await;
    let mut connection = filled.raw().await;
    sqlx::raw_sql("UPDATE apps SET retention_days = 1, retention_keep_at_least = 2")
        .execute(&mut connection)
        .await
        .unwrap();
    let due = "SELECT accepted_at FROM retention_due WHERE app LIKE '%/shop' ORDER BY accepted_at";
    let all = "SELECT accepted_at FROM backups WHERE app LIKE '%/shop' ORDER BY accepted_at";
    assert_eq!(texts(&filled, due).await, texts(&filled, all).await[..1]);
}
