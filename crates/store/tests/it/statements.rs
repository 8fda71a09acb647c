//! Every statement of the store, as SQLite means to run it.

use sqlx::Row;

use crate::history::Fixture;

/// The statements of a database: those in its folder of sources, and those that both databases share. Each begins with
/// its name as a comment.
pub fn statements_of(database: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in [database, "sql"] {
        let folder = format!("{}/src/{folder}", env!("CARGO_MANIFEST_DIR"));
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let source = if path.is_file() { std::fs::read_to_string(path).unwrap() } else { String::new() };
            for text in source.split("\"/* ").skip(1) {
                let (name, rest) = text.split_once(" */ ").unwrap();
                found.push((name.to_owned(), rest.split_once('"').unwrap().0.to_owned()));
            }
        }
    }
    found
}

/// Statements that read all, because all was asked for, or one row that a person names.
pub const WHOLE: [&str; 4] = ["list", "sync_fleet", "check", "store_row"];

/// Statements that sort the rows of one app.
const OF_ONE_APP: [&str; 4] = ["status", "catalog_one", "is_last", "holds"];

/// Statements that sort or group what is leased, or about to be, or under way, which the limits bound.
const OF_WHAT_IS_UNDER_WAY: [&str; 3] = ["candidates", "leased", "occupied_accounts"];

/// Runs of a kind are read through an index of their own, and in its order.
pub const OF_A_KIND: [(&str, &str); 3] = [
    ("list_of_kind", "runs_of_kind"),
    ("list_unfinished_of_kind", "runs_unfinished_of_kind"),
    ("list_of_app_and_kind", "runs_of_app_and_kind"),
];

fn statements() -> Vec<(String, String)> {
    statements_of("sqlite")
}

async fn plan(fixture: &Fixture, sql: &str) -> Vec<String> {
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(explain)).fetch_all(&mut fixture.raw().await).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn no_statement_reads_a_large_table_through() {
    let fixture = Fixture::empty().await;
    let mut seen = 0;
    for (name, sql) in statements() {
        if name == "inspect" || WHOLE.contains(&name.as_str()) {
            continue;
        }
        seen += 1;
        let steps = plan(&fixture, &sql).await;
        let small = [
            "jsonb_each",
            "asked",
            "baseline",
            "new",
            "picked",
            "page",
            "lanes",
            "priorities",
            "apps",
            "subscriptions",
            "budgets",
            "audit_checkpoints",
            "breakers",
            "processes",
            "operations",
            "fleet_revisions",
            "api_tokens",
            "plan",
            "CONSTANT",
            "4-ROW",
            "2",
            "4",
        ];
        let scans = steps.iter().filter_map(|step| step.strip_prefix("SCAN ")).filter(|table| {
            let table = table.split(' ').next().unwrap_or_default();
            !small.contains(&table)
        });
        assert_eq!(scans.count(), 0, "{name}: {sql}\n{steps:#?}");
        // Sorting is for the few rows of one app, or for what is under way, never for what waits.
        let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        let may_sort = [&OF_ONE_APP[..], &OF_WHAT_IS_UNDER_WAY].concat().contains(&name.as_str());
        assert!(!sorts || may_sort, "{name}: {sql}\n{steps:#?}");
    }
    assert!(seen > 20, "the sources were not found");
}

#[tokio::test]
async fn a_lane_is_read_through_its_index_and_in_its_order() {
    let fixture = Fixture::empty().await;
    let take = statements().into_iter().find(|(name, _)| name == "candidates").unwrap();
    let steps = plan(&fixture, &take.1).await;
    let expected =
        "SEARCH unfinished_runs USING INDEX unfinished_runs_waiting (lane=? AND priority=? AND due_at<?)";
    assert!(steps.iter().any(|step| step == expected), "{steps:#?}");
    // Only the result is sorted, not what waits.
    assert_eq!(steps.iter().filter(|step| step.contains("TEMP B-TREE")).count(), 1, "{steps:#?}");
}

#[tokio::test]
async fn runs_of_a_kind_are_read_through_an_index_of_their_own_and_in_its_order() {
    let fixture = Fixture::empty().await;
    for (name, index) in OF_A_KIND {
        let (_, sql) = statements().into_iter().find(|(of, _)| of == name).unwrap();
        let steps = plan(&fixture, &sql).await;
        let begin = format!("SEARCH runs USING INDEX {index} (");
        assert!(steps.len() == 1 && steps[0].starts_with(&begin), "{name}: {sql}\n{steps:#?}");
    }
}
