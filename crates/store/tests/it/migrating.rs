//! A store of an older program is brought up to date, with all that is in it.

use holdfast_model::{BackupId, Cause, Delete, Origin, RunEvent, Task};
use holdfast_store::{CatalogFilter, Error, Mode, RunFilter, SqliteStore, Store};
use sqlx::migrate::Migrator;
use sqlx::{Executor, SqliteConnection};

use crate::filled::{Filled, History, fleet, machine_clock};

/// What the older program's tables hold.
pub const OLD: [(&str, &str); 3] = [
    (
        "apps",
        "app, policy, plan, paused, recovery_point_objective_s, retention_days, retention_keep_at_least,
         partial_is_good, enrolled_at, removed_at",
    ),
    (
        "runs",
        "id, version, kind, trigger, priority, app, subscription, policy, tick, plan, storage, account, policy_snapshot, state,
         state_json, failure_counts, attempt, outcome, cause, backup_id, backup_blob, size_bytes, accepted_at, finished_at,
         verification, created_at, due_at, ended_at, lane, leased_until, holds",
    ),
    ("audit_events", "seq, at, run_id, app, data, previous, hash"),
];

/// The migrations of one dialect.
pub async fn migrations(dialect: &str) -> Migrator {
    let folder = format!("{}/../../migrations/{dialect}", env!("CARGO_MANIFEST_DIR"));
    Migrator::new(std::path::Path::new(&folder)).await.unwrap()
}

/// Holds what an older program wrote against what this one reads.
pub async fn is_whole<S: Store>(old: &mut History<S>) {
    let runs = old.store.runs(&RunFilter::default()).await.unwrap();
    assert_eq!(runs.len(), 5);
    assert!(runs.iter().all(|run| run.task.is_plain_backup()));
    let entries = old.store.catalog(&CatalogFilter::default()).await.unwrap();
    let told: Vec<_> =
        entries.iter().map(|entry| (entry.app.site(), entry.backup.id.0, entry.origin, entry.good)).collect();
    let of_shop = |id| ("shop", id, Origin::Succeeded, true);
    assert_eq!(told, [("blog", 3, Origin::Attempt, false), of_shop(5), of_shop(4), of_shop(1)]);
    assert!(entries.iter().all(|entry| entry.sas.is_none() && entry.removal.is_none()));
    let fleet = old.store.status().await.unwrap();
    assert_eq!(fleet.iter().filter(|app| app.last_good_at.is_some()).count(), 1);
    let rows = old.store.chain(0, 999).await.unwrap();
    holdfast_store::verify_chain(&rows, holdfast_store::Link::origin()).unwrap();
    // And it goes on from there.
    let delete = Task::Delete(Delete { backup: BackupId(4), blob: "hf-4.zip".into(), allow_last: false });
    let run = old.asked("shop", delete).await;
    let loaded = old.store.load(run.id).await.unwrap().unwrap();
    assert_eq!((loaded.subject.as_ref(), loaded.is_last), (Some(&entries[2]), false));
    let (until, cause) = (run.created_at, Cause::Busy);
    old.happen(run, vec![RunEvent::Deferred { cause, detail: String::new(), until }]).await;
}

async fn older(filled: &Filled) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let mut connection = raw(&path).await;
    migrations("sqlite").await.run_to(2, &mut connection).await.unwrap();
    let attach = format!("ATTACH '{}' AS new", filled.path.display());
    connection.execute(sqlx::AssertSqlSafe(attach)).await.unwrap();
    for (table, columns) in OLD {
        let copy =
            format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table} ORDER BY rowid");
        connection.execute(sqlx::AssertSqlSafe(copy)).await.unwrap();
    }
    folder
}

async fn raw(path: &std::path::Path) -> SqliteConnection {
    use sqlx::ConnectOptions;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    options.connect().await.unwrap()
}

#[tokio::test]
async fn an_older_store_is_brought_up_to_date_by_its_owner_alone_and_keeps_what_is_in_it() {
    let filled = Filled::new().await;
    let folder = older(&filled).await;
    let path = folder.path().join("old.db");
    let clock = machine_clock();
    for mode in [Mode::Join, Mode::Read] {
        let refusal = SqliteStore::open(&path, clock.clone(), mode).await;
        assert!(matches!(refusal, Err(Error::OlderSchema { found: 2, .. })));
    }
    let store = SqliteStore::open(&path, clock.clone(), Mode::Own).await.unwrap();
    let mut old = History::of(store, clock);
    is_whole(&mut old).await;
    // A fleet that is as it was enrolled then is not changed, though its retention is written otherwise.
    let unchanged = old.store.sync_fleet(&fleet()).await.unwrap();
    assert_eq!((unchanged.added, unchanged.changed, unchanged.removed), (0, 0, 0));
}
