//! The SQL face: every view, and every query that docs/audit.md shows.

use sqlx::{AssertSqlSafe, Row};

use crate::history::Fixture;

pub const DOCS: &str = include_str!("../../../../docs/audit.md");

/// The queries of the page, without what they printed.
fn documented() -> Vec<&'static str> {
    DOCS.split("```sql\n").skip(1).map(|block| block.split_once("```").unwrap().0).collect()
}

#[tokio::test]
async fn every_query_of_the_page_runs_and_finds_something() {
    let fixture = Fixture::with_every_kind().await;
    let mut connection = fixture.raw().await;
    assert!(documented().len() > 12);
    for query in documented() {
        let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(&mut connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{query}: {error}"));
        assert!(!rows.is_empty(), "{query} finds nothing");
    }
}

#[tokio::test]
async fn every_view_is_on_the_page_with_each_of_its_columns() {
    let fixture = Fixture::with_every_kind().await;
    let mut connection = fixture.raw().await;
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
pub const ANSWERS: [(&str, usize); 41] = [
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
    ("SELECT status FROM attempts WHERE kind = 'backup'", 5),
    ("SELECT kind FROM attempts WHERE kind <> 'backup' AND status = 'Succeeded' AND cause IS NULL", 4),
    ("SELECT kind FROM attempts_by_cause WHERE kind = 'drill' AND attempts = 1", 1),
    ("SELECT outcome FROM run_outcomes WHERE outcome = 'missed' AND cause = 'overlap' AND runs = 1", 1),
    ("SELECT outcome FROM run_outcomes WHERE kind = 'drill' AND cause = 'probe_failed' AND runs = 1", 1),
    ("SELECT outcome FROM run_outcomes WHERE kind = 'operator_action'", 0),
    ("SELECT reason FROM missed_ticks WHERE reason = 'overlap' AND app LIKE '%/blog'", 1),
    ("SELECT reason FROM sas_refreshes WHERE reason = 'first' AND old_expiry IS NULL", 3),
    ("SELECT reason FROM sas_refreshes WHERE reason = 'kept_backup' AND backup_id = 4", 1),
    ("SELECT storage FROM sas_expiring WHERE storage = 'weu' AND left_s < 7 * 86400", 1),
    // 39 and 35 days old, and the first is deleted; the third is young, and that of blog is lost.
    (
        "SELECT app FROM retention_due WHERE app LIKE '%/shop' AND good AND backup_id = 4 AND deletion IS NULL",
        1,
    ),
    ("SELECT app FROM retention_due", 1),
    ("SELECT app FROM time_to_start WHERE wait_s = 42", 3),
    ("SELECT cause FROM deferrals WHERE cause = 'throttled' AND pause_s = 17", 1),
    (
        "SELECT origin FROM backups WHERE origin = 'attempt' AND NOT good AND backup_id = 3 AND removal = 'lost'",
        1,
    ),
    ("SELECT app FROM backups", 4),
    ("SELECT app FROM backups WHERE removal = 'deleted' AND backup_id = 1 AND removed_at IS NOT NULL", 1),
    (
        "SELECT app FROM backups WHERE verification = 'verified' AND hold IS NOT NULL AND sas_expiry IS NOT NULL",
        1,
    ),
    ("SELECT fingerprint FROM kept_sas_expiring WHERE fingerprint = 'feedc0ffee00' AND left_s > 86400", 1),
    ("SELECT app FROM kept_sas_expiring", 2),
    (
        "SELECT asked_by FROM deletions WHERE asked_by = 'alice' AND backup_id = 1 AND outcome = 'succeeded'",
        1,
    ),
    ("SELECT source FROM restores WHERE source LIKE '%/shop' AND target LIKE '%/copy' AND took_s = 30", 1),
    ("SELECT asked_by FROM restores WHERE asked_by = 'alice' AND backup_id = 5 AND into_new_app", 1),
    ("SELECT scratch FROM drills WHERE cause = 'probe_failed' AND source LIKE '%/shop' AND backup_id = 5", 1),
    ("SELECT reason FROM holds WHERE held_by = 'bob' AND backup_id = 5 AND reason LIKE 'the audit%'", 1),
    ("SELECT detail FROM lost_backups WHERE detail = 'the blob is not there' AND app LIKE '%/blog'", 1),
    ("SELECT app FROM lost_backups", 1),
    ("SELECT app FROM changed_backups WHERE backup_id = 5 AND good AND verified_at = changed_at", 1),
    ("SELECT app FROM changed_backups WHERE updates IS NOT NULL AND differences = '[]'", 1),
    ("SELECT app FROM catalog_checks WHERE outcome = 'succeeded' AND lost = 0 AND app LIKE '%/shop'", 1),
    ("SELECT app FROM catalog_checks WHERE checked_at IS NULL AND app LIKE '%/blog'", 1),
    ("SELECT shown_to FROM revealed_sas WHERE shown_to = 'bob' AND backup_id = 4", 1),
    ("SELECT kept_fingerprint FROM revealed_sas WHERE kept_fingerprint = 'feedc0ffee00'", 1),
    ("SELECT app FROM schedule_drift WHERE differences = 1", 1),
    ("SELECT app FROM schedule_drift", 1),
];

async fn texts(fixture: &Fixture, query: &'static str) -> Vec<String> {
    let rows = sqlx::query(query).fetch_all(&mut fixture.raw().await).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

#[tokio::test]
async fn the_views_answer_what_happened() {
    let fixture = Fixture::with_every_kind().await;
    for (query, expected) in ANSWERS {
        assert_eq!(texts(&fixture, query).await.len(), expected, "{query}");
    }
}

#[tokio::test]
async fn the_newest_good_backups_are_never_due_however_old() {
    let fixture = Fixture::with_backups().await;
    let mut connection = fixture.raw().await;
    sqlx::raw_sql("UPDATE apps SET retention = '{\"days\":1,\"keep_at_least\":2}'")
        .execute(&mut connection)
        .await
        .unwrap();
    let due = "SELECT accepted_at FROM retention_due WHERE app LIKE '%/shop' ORDER BY accepted_at";
    let all = "SELECT accepted_at FROM backups WHERE app LIKE '%/shop' ORDER BY accepted_at";
    assert_eq!(texts(&fixture, due).await, texts(&fixture, all).await[..1]);
}

#[test]
fn the_grants_of_the_page_are_those_of_the_file() {
    let page = DOCS.split("```psql\n").nth(1).unwrap().split("```").next().unwrap();
    let file = include_str!("../../../../deploy/postgres/grants.sql");
    let file = file.replace(":\"database\"", "prod").replace(":\"app\"", "prod_app");
    let file = file.replace(":\"auditor\"", "prod_auditor");
    let statements: Vec<&str> =
        file.lines().filter(|line| !line.is_empty() && !line.starts_with("--")).collect();
    assert_eq!(page.lines().collect::<Vec<_>>(), statements);
}
