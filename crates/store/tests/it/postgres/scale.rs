//! At 1,000,000 runs no hot path reads a large table through.

use std::time::Duration;

use holdfast_model::{BackupId, Clock, Delete, Limits, NewRun, NewTask, RunId, Task, Trigger};
use holdfast_store::{CatalogFilter, Change, CursorAdvance, Store};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::Fixture;
use crate::history::{app, policy_snapshot};
use crate::statements::{OF_A_KIND, WHOLE, statements_of};

/// A million runs beside the two that they are made after: 880,000 have ended, 100,000 wait behind one subscription,
/// 10,000 wait in 200 lanes, 8,000 are polling, and 2,000 are leased. Some are deletions: 44,000 of those that have
/// ended, and 120 of the others. 50,000 apps have a cursor, some of them due;
/// there are 300,000 audit events, some in every partition, because an empty one may be read through; and 200,000
/// backups of 5,000 apps.
const FILL: [&str; 8] = [
    "SET session_replication_role = replica",
    "ALTER TABLE runs SET UNLOGGED",
    "INSERT INTO runs (id, version, kind, task, trigger, priority, app, subscription, policy, tick, plan, storage, account,
        policy_snapshot, state, state_json, failure_counts, attempt, outcome, cause, backup_id, backup_blob, size_bytes, accepted_at,
        finished_at, verification, baseline_at, created_at, due_at, ended_at)
     SELECT gen_random_uuid(), version, CASE WHEN n % 20 = 0 THEN 'delete' ELSE kind END, task, trigger, priority, app || n % 5000, subscription, policy,
        tick - n * interval '10 seconds', plan, storage, account, policy_snapshot, state, state_json, failure_counts, attempt, outcome,
        cause, backup_id, backup_blob, size_bytes, accepted_at - n * interval '10 seconds',
        finished_at - n * interval '10 seconds', verification, baseline_at - n * interval '10 seconds', created_at - n * interval '10 seconds',
        due_at - n * interval '10 seconds', ended_at - n * interval '10 seconds'
     FROM runs, generate_series(1, 880000) AS n WHERE outcome = 'succeeded'",
    "INSERT INTO runs (id, version, kind, task, trigger, priority, app, subscription, policy, tick, plan, storage, account,
        policy_snapshot, state, state_json, failure_counts, created_at, due_at)
     SELECT gen_random_uuid(), version, CASE WHEN n % 1000 = 0 THEN 'delete' ELSE kind END, task, trigger, n % 4, app || n, subscription, policy, tick, plan, storage,
        account, policy_snapshot, state, state_json, failure_counts, created_at, due_at + (n % 7200 - 3600) * interval '1 second'
     FROM runs, generate_series(1, 120000) AS n WHERE state = 'planned'",
    "INSERT INTO unfinished_runs (id, version, app, subscription, plan, account, lane, priority, due_at, leased_until, occupies_app)
     SELECT runs.id, runs.version, runs.app, runs.subscription, runs.plan, runs.account,
        CASE WHEN n <= 100000 THEN lane WHEN n <= 110000 THEN 'begin|s' || n % 200 || '|p|a' ELSE 'poll|s' || n % 200 END,
        runs.priority, runs.due_at, CASE WHEN n > 118000 THEN now() + n % 60 * interval '1 second' END, n > 110000
     FROM unfinished_runs AS model,
        (SELECT *, row_number() OVER (ORDER BY id) - 1 AS n FROM runs WHERE state = 'planned') AS runs
     WHERE runs.id <> model.id",
    "INSERT INTO cursors SELECT app || n, 'gold', 'daily', date_trunc('second', now()),
        date_trunc('second', now()) + (n - 300) * interval '1 second'
     FROM apps, generate_series(1, 50000) AS n WHERE app LIKE '%/stray'",
    "INSERT INTO audit_events (seq, at, run_id, app, event, attempt, data, previous, hash)
     SELECT last.seq + n, now() - interval '30 days' + n * interval '72 seconds', gen_random_uuid(), app, event, attempt, data, hash, hash
     FROM (SELECT * FROM audit_events ORDER BY seq DESC LIMIT 1) AS last, generate_series(1, 300000) AS n",
    "INSERT INTO catalog (app, backup_id, generation, event_seq, run_id, storage, blob, size_bytes, accepted_at, databases, origin, good, removed_at)
     SELECT app || n % 5000, n, 1, 1, run_id, storage, blob, size_bytes, accepted_at - n * interval '10 seconds', databases,
        origin, good, CASE WHEN n % 3 = 0 THEN accepted_at END
     FROM catalog, generate_series(1, 200000) AS n WHERE backup_id = 5",
];

async fn fixture() -> Option<Fixture> {
    let mut fixture = Fixture::with_backups().await?;
    let model = fixture.add("model").await;
    let one = "UPDATE runs SET outcome = 'failed' WHERE outcome = 'succeeded'
        AND id <> (SELECT id FROM runs WHERE outcome = 'succeeded' ORDER BY ended_at DESC LIMIT 1)";
    fixture.sql(&format!("SET session_replication_role = replica; {one}")).await.unwrap();
    let head = "UPDATE audit_head SET (seq, hash, at) = (SELECT seq, hash, at FROM audit_events ORDER BY seq DESC LIMIT 1)";
    fixture.sql(&format!("{}; {head}", FILL.join("; "))).await.unwrap();
    fixture.sql("VACUUM ANALYZE").await.unwrap();
    assert!(model.lane().is_some());
    Some(fixture)
}

/// Small tables may be read through, and are. The large ones, and the partitions of the audit, may not.
fn is_large(table: &str) -> bool {
    ["runs", "unfinished_runs", "cursors", "catalog"].contains(&table) || table.starts_with("audit_events")
}

fn large_scans(plan: &Value, found: &mut Vec<String>) {
    let table = plan["Relation Name"].as_str().unwrap_or_default();
    if plan["Node Type"] == "Seq Scan" && is_large(table) {
        found.push(table.to_owned());
    }
    for part in plan["Plans"].as_array().into_iter().flatten() {
        large_scans(part, found);
    }
}

/// The statement's plan for whatever it is asked, as sessions keep it.
async fn generic_plan(connection: &mut PgConnection, sql: &str) -> Value {
    let parameters = (1..30).take_while(|n| sql.contains(&format!("${n}"))).count();
    let nothing =
        if parameters == 0 { String::new() } else { format!("({})", vec!["NULL"; parameters].join(", ")) };
    let explain = format!("SET plan_cache_mode = force_generic_plan; PREPARE asked AS {sql}");
    sqlx::raw_sql(AssertSqlSafe(explain)).execute(&mut *connection).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) EXECUTE asked{nothing}"));
    let plan: sqlx::postgres::PgRow = sqlx::raw_sql(explain).fetch_one(&mut *connection).await.unwrap();
    sqlx::raw_sql("DEALLOCATE asked").execute(connection).await.unwrap();
    let plan: Value = sqlx::Row::get(&plan, 0);
    plan[0]["Plan"].clone()
}

async fn no_statement_reads_a_large_table_through(fixture: &Fixture) {
    let mut connection = fixture.database.raw().await;
    let explained =
        |sql: &str| ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"].iter().any(|verb| sql.starts_with(verb));
    let mut seen = 0;
    for (name, sql) in statements_of("postgres") {
        if WHOLE.contains(&name.as_str()) || name == "inspect" || !explained(&sql) {
            continue;
        }
        seen += 1;
        let plan = generic_plan(&mut connection, &sql).await;
        let mut scans = Vec::new();
        large_scans(&plan, &mut scans);
        assert!(scans.is_empty(), "{name} reads {scans:?} through: {sql}\n{plan:#}");
    }
    assert!(seen > 20, "the sources were not found");
}

fn indexes(plan: &Value, found: &mut Vec<String>) {
    found.extend(plan["Index Name"].as_str().map(ToOwned::to_owned));
    for part in plan["Plans"].as_array().into_iter().flatten() {
        indexes(part, found);
    }
}

async fn runs_of_a_kind_have_indexes_of_their_own(fixture: &Fixture) {
    let mut connection = fixture.database.raw().await;
    for (name, index) in OF_A_KIND {
        let (_, sql) = statements_of("postgres").into_iter().find(|(of, _)| of == name).unwrap();
        let plan = generic_plan(&mut connection, &sql).await;
        let mut found = Vec::new();
        indexes(&plan, &mut found);
        assert_eq!(found, [index], "{name}: {sql}\n{plan:#}");
    }
}

/// How often each large table has been read through so far.
async fn times_read_through(fixture: &Fixture) -> Vec<(String, i64)> {
    let times = "SELECT relname::text, seq_scan FROM pg_stat_user_tables ORDER BY relname";
    let times: Vec<(String, i64)> =
        sqlx::query_as(times).fetch_all(&mut fixture.database.raw().await).await.unwrap();
    times.into_iter().filter(|(table, _)| is_large(table)).collect()
}

/// Runs each hot path more often than a session uses a custom plan for its parameters.
async fn work(fixture: &Fixture) {
    let store = &fixture.store;
    let most = 1_000_000;
    let limits = &Limits { outstanding: most, per_plan: most, per_account: most, ..Limits::default() };
    for _ in 0..8 {
        let board = store.due_lanes().await.unwrap();
        assert_eq!(board.outstanding % 100, 0);
        assert!(board.lanes.len() > 200);
        let asks: Vec<_> = board
            .lanes
            .into_iter()
            .map(|due| holdfast_store::LaneQuota { lane: due.lane, most: 2 })
            .take(50)
            .collect();
        let taken =
            store.acquire(&asks, limits, holdfast_store::LeaseTerms { lasts: Duration::ZERO, seed: 1 }).await;
        let taken = taken.unwrap();
        assert!(taken.len() >= 50);
        let run = store.load(taken[0].wakeup.run_id).await.unwrap().unwrap().run;
        let event = fixture.started(&run);
        let after = run.clone().after(&event, run.created_at).unwrap();
        let events = vec![event];
        let change = Change { from: run.version, run: after, events, at: fixture.clock.now() };
        store.commit(&change).await.unwrap();
        assert_eq!(store.reclaim().await.unwrap(), taken.len() as u64 - 1);
        let cursors = store.cursors_due(None, 20).await.unwrap();
        assert_eq!(cursors.len(), 20);
        let plan = |cursor: holdfast_store::Cursor| {
            let next_at = Some(cursor.next_at + Duration::from_hours(24));
            CursorAdvance { through: cursor.next_at, next_at, cursor, runs: vec![] }
        };
        let plans: Vec<CursorAdvance> = cursors.into_iter().map(plan).collect();
        assert_eq!(store.plan(&plans).await.unwrap().conflicts, 0);
        store.events(run.id).await.unwrap();
        catalog(fixture).await;
        assert_eq!(store.audit(100, 50).await.unwrap().len(), 50);
    }
}

/// What retention does for an app, and for a page of them.
async fn catalog(fixture: &Fixture) {
    let of_one = CatalogFilter { app: Some(app("shop", None).id), ..CatalogFilter::default() };
    assert_eq!(fixture.store.catalog(&of_one).await.unwrap().len(), 3);
    let page = CatalogFilter { most_apps: 20, ..CatalogFilter::default() };
    assert!(fixture.store.catalog(&page).await.unwrap().len() > 20);
    let delete =
        Task::Delete(Delete { backup: BackupId(4), blob: "hf-4.zip".into(), allow_last: false, rule: None });
    let mut rng = fastrand::Rng::with_seed(fixture.store.audit(0, 1).await.unwrap().len() as u64);
    let now = fixture.clock.now();
    let id = RunId::new(now, &mut rng);
    let delete = NewTask { task: delete, trigger: Trigger::Policy, actor: None };
    let new = NewRun::task(id, &app("blog", None), &policy_snapshot(), delete, now);
    // The first time it is added; from then on it is there, unfinished, or refused for its id.
    let _ = fixture.store.add_runs(&[new]).await;
    assert!(fixture.store.load(id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hot_path_reads_a_large_table_through() {
    let Some(fixture) = fixture().await else { return };
    no_statement_reads_a_large_table_through(&fixture).await;
    runs_of_a_kind_have_indexes_of_their_own(&fixture).await;
    // What statements were planned for is one thing, what was done another.
    let before = times_read_through(&fixture).await;
    work(&fixture).await;
    fixture.store.close().await;
    let ours = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'holdfast'";
    let mut connection = fixture.database.raw().await;
    while sqlx::query_scalar::<_, i64>(ours).fetch_one(&mut connection).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(times_read_through(&fixture).await, before);
}
