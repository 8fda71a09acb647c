//! Runs every query of docs/operations.md on each store it is written for.
#![cfg(test)]

mod alerts;

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{
    App, AppId, BackupFacts, BackupId, Call, Cause, Clock, Limits, NewBackup, NewRun, NewTask,
    OperatorAction, Outcome, PolicyName, PolicySnapshot, RefreshReason, RefreshSas, RunEvent, RunId,
    StorageName, SystemClock, Task, Timestamp, Trigger,
};
use holdfast_store::{
    Change, Committed, Enrolled, LaneQuota, Mode, Observation, PgStore, SqliteStore, Store,
};
use holdfast_tests::postgres::Database;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Database as Driver, Executor};

const PAGE: &str = include_str!("../../docs/operations.md");

/// Parts of queries that may return no row on a store without failures.
const MAY_FIND_NOTHING: [&str; 6] = [
    "orphan_found",
    "sas_expiring",
    "run_id = '019aa8c1",
    "outcome IN",
    "verification <>",
    "interval '10 minutes'",
];

/// The queries in the page's code blocks with this language.
fn queries(fence: &str) -> Vec<&'static str> {
    let blocks = PAGE.split(&format!("```{fence}\n")).skip(1).collect::<Vec<_>>();
    blocks.into_iter().map(|block| block.split_once("```").unwrap().0).collect()
}

/// Fills the store with three apps: a leased run, a waiting run and a deferred run.
async fn fill(store: &dyn Store, now: Timestamp) {
    let mut rng = fastrand::Rng::with_seed(3);
    let apps = ["shop", "blog", "wiki"].map(|name| App {
        policy: Some(PolicyName::new("gold")),
        plan: Some("/plans/p1".into()),
        ..App::new(AppId::new("0b1f6471-1bf0-4dda-aec3-111122223333", "shops", name, None))
    });
    let fleet = apps.clone().map(|app| Enrolled {
        app,
        recovery_point_objective: Some(Duration::ZERO),
        retention: None,
        partial_is_good: false,
        schedule: None,
        observation: Observation::default(),
    });
    store.sync_fleet(&fleet, &[]).await.unwrap();
    let policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    let mut runs = Vec::new();
    for app in &apps {
        let id = RunId::new(now, &mut rng);
        let new = NewRun::backup(
            id,
            app,
            &policy_snapshot,
            NewBackup { tick: Some(now), trigger: Trigger::Schedule, due_at: now },
            now,
        );
        store.add_run(&new).await.unwrap();
        runs.push(new.run);
    }
    let put_off = RunEvent::Deferred {
        cause: Cause::Throttled,
        detail: "429, Retry-After: 17".to_owned(),
        until: now + Duration::from_secs(17),
    };
    let run = runs.remove(2);
    let from = run.version;
    let change = Change { from, run: run.after(&put_off, now).unwrap(), events: vec![put_off], at: now };
    assert!(matches!(store.commit(&change).await.unwrap(), Committed::Done(_)));
    let ask = LaneQuota { lane: runs[0].lane().unwrap(), most: 1 };
    let terms = holdfast_store::LeaseTerms { lasts: Duration::from_mins(5), seed: 1 };
    let taken = store.acquire(&[ask], &Limits::default(), terms).await.unwrap();
    assert_eq!(taken.len(), 1);
    let until = now + Duration::from_mins(1);
    store.close_budget(apps[0].id.subscription(), Call::Read, until).await.unwrap();
    add_failed_refresh(store, (&apps[1], &policy_snapshot), now, &mut rng).await;
}

/// Adds a backup whose SAS at Azure could not be renewed.
async fn add_failed_refresh(
    store: &dyn Store,
    (app, policy_snapshot): (&App, &PolicySnapshot),
    now: Timestamp,
    rng: &mut fastrand::Rng,
) {
    let backup = BackupFacts {
        id: BackupId(7),
        blob: "blog.zip".into(),
        size_bytes: 9,
        accepted_at: now,
        finished_at: None,
        databases: Vec::new(),
    };
    let refresh = RefreshSas { backup: backup.id, reason: RefreshReason::KeptBackup, old: None };
    let note = OperatorAction::TakenOver { backup, storage: policy_snapshot.storage.clone() };
    store
        .add_run(&NewRun::operator_action(
            RunId::new(now, rng),
            app,
            policy_snapshot,
            note,
            "ann".into(),
            now,
        ))
        .await
        .unwrap();
    let task = NewTask { task: Task::RefreshSas(refresh), trigger: Trigger::Policy, actor: None };
    let run = NewRun::task(RunId::new(now, rng), app, policy_snapshot, task, now);
    store.add_run(&run).await.unwrap();
    let over = RunEvent::Ended {
        outcome: Outcome::Failed,
        cause: Some(Cause::AppForbidden),
        backup: None,
        verification: None,
    };
    let (from, after) = (run.run.version, run.run.after(&over, now).unwrap());
    let change = Change { from, run: after, events: vec![over], at: now };
    assert!(matches!(store.commit(&change).await.unwrap(), Committed::Done(_)));
}

/// Runs all queries. Each must return a row unless `MAY_FIND_NOTHING` has it.
async fn ask<D: Driver>(connection: &mut D::Connection, queries: &[&'static str])
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
{
    for &query in queries {
        let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(&mut *connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{query}: {error}"));
        let may_be_empty = MAY_FIND_NOTHING.iter().any(|part| query.contains(part));
        assert!(may_be_empty || !rows.is_empty(), "{query} finds nothing");
    }
}

#[test]
fn the_page_has_queries_for_every_store_and_some_for_one() {
    assert!(queries("sql").len() > 12, "{}", queries("sql").len());
    assert!(queries("sql postgresql").len() > 5);
    let fences = PAGE.lines().filter(|line| line.starts_with("```sql")).count();
    assert_eq!(
        fences,
        queries("sql").len() + queries("sql postgresql").len(),
        "a fence is written otherwise"
    );
    for part in MAY_FIND_NOTHING {
        assert!(PAGE.contains(part), "no query holds `{part}` any more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_page_runs_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let clock = Arc::new(SystemClock::default());
    let store = SqliteStore::open(&path, clock.clone(), Mode::Own).await.unwrap();
    fill(&store, clock.now()).await;
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    ask::<sqlx::Sqlite>(&mut connection, &queries("sql")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_page_runs_on_postgresql() {
    let Some(database) = Database::new().await else { return };
    let store = PgStore::connect(&database.url(), Mode::Own).await.unwrap();
    fill(&store, store.now().await.unwrap()).await;
    let mut connection = database.raw().await;
    ask::<sqlx::Postgres>(&mut connection, &queries("sql")).await;
    ask::<sqlx::Postgres>(&mut connection, &queries("sql postgresql")).await;
    store.close().await;
}
