//! Tests that need the writing connection.

use std::sync::Arc;

use futures::future::join_all;
use holdfast_model::{
    App, AppId, Cause, ManualClock, NewBackup, NewRun, PolicyName, PolicySnapshot, RunEvent, RunId,
    StorageName, Timestamp, Trigger,
};

use crate::change::{Change, Committed};
use crate::error::Error;
use crate::filter::RunFilter;
use crate::group_commit::GroupCommit;
use crate::group_load::GroupLoad;
use crate::mode::Mode;
use crate::sqlite::SqliteStore;
use crate::sqlite::session::own;
use crate::store::Store;

#[tokio::test]
async fn a_full_disk_is_an_error_and_once_there_is_space_again_nothing_is_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let store = Arc::new(SqliteStore::open(&folder.path().join("store.db"), clock, Mode::Own).await.unwrap());
    let mut rng = fastrand::Rng::with_seed(1);
    let mut run = |name: &str| manual(name, &mut rng);
    let limit = async |sql: &'static str| {
        let mut connection = own(&store.database.writer).await.unwrap();
        let _: i64 = sqlx::query_scalar(sql).fetch_one(&mut *connection).await.unwrap();
        connection.rest();
    };
    limit("PRAGMA max_page_count = 1").await; // SQLite takes the file's present size for the least.
    let mut added = 0;
    let failed = loop {
        match store.add_run(&run(&format!("app{added}"))).await {
            Ok(()) => added += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(failed, Error::Full { operation: "add a run", .. }), "{failed:?}");
    assert!(failed.to_string().contains("the disk is full"));
    let count = async || {
        (store.runs(&RunFilter::default()).await.unwrap().len(), store.audit(0, 9_999).await.unwrap().len())
    };
    assert_eq!(count().await, (added, added));
    // A group that does not fit fails whole, each change with that error, and is made again once there is space.
    let changes = starts(&store).await;
    let commits = GroupCommit::new(Arc::clone(&store) as _);
    let results = join_all(changes.iter().map(|change| commits.commit(change.clone()))).await;
    assert!(results.iter().any(|result| matches!(result, Err(Error::Full { .. }))), "{results:?}");
    let written = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(count().await, (added, added + written));
    limit("PRAGMA max_page_count = 100000").await;
    let again = join_all(changes.into_iter().map(|change| commits.commit(change))).await;
    let stale = again.into_iter().filter(|result| *result.as_ref().unwrap() == Committed::Stale).count();
    assert_eq!((stale, count().await), (written, (added, 2 * added)));
    store.add_run(&run("after")).await.unwrap();
    assert_eq!(count().await, (added + 1, 2 * added + 1));
    let rows = store.chain(0, 9_999).await.unwrap();
    assert_eq!(
        crate::verify_chain(&rows, crate::Link::origin()).unwrap().seq,
        2 * i64::try_from(added).unwrap() + 1
    );
}

#[tokio::test]
async fn a_run_that_cannot_be_read_harms_no_other_that_is_loaded_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let store = Arc::new(SqliteStore::open(&folder.path().join("store.db"), clock, Mode::Own).await.unwrap());
    let mut rng = fastrand::Rng::with_seed(1);
    let runs: Vec<NewRun> = (0..4).map(|n| manual(&format!("app{n}"), &mut rng)).collect();
    store.add_runs(&runs).await.unwrap();
    let bad = runs[2].run.id;
    for sql in ["DROP TRIGGER runs_keep_their_creation", "UPDATE runs SET task = 'gibberish' WHERE id = $1"] {
        sqlx::query(sql)
            .bind(bad.to_string())
            .execute(&mut *own(&store.database.writer).await.unwrap())
            .await
            .unwrap();
    }
    let ids: Vec<RunId> = runs.iter().map(|run| run.run.id).collect();
    assert!(matches!(store.load_all(&ids).await, Err(Error::Unreadable { .. })));
    let loads = GroupLoad::new(Arc::clone(&store) as _);
    for (result, id) in join_all(ids.iter().map(|id| loads.load(*id))).await.into_iter().zip(&ids) {
        match result {
            Ok(loaded) => assert!(loaded.is_some_and(|loaded| loaded.run.id == *id && *id != bad)),
            Err(error) => assert!(*id == bad && matches!(error, Error::Unreadable { .. }), "{error}"),
        }
    }
}

/// A backup that a person asks for.
fn manual(name: &str, rng: &mut fastrand::Rng) -> NewRun {
    let app = App { policy: Some(PolicyName::new("gold")), ..App::new(AppId::new("s", "g", name, None)) };
    let policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    let epoch = Timestamp::UNIX_EPOCH;
    let backup = NewBackup { tick: None, trigger: Trigger::Manual, due_at: epoch };
    NewRun::backup(RunId::new(epoch, rng), &app, &policy_snapshot, backup, epoch)
}

/// A change of each run.
async fn starts(store: &SqliteStore) -> Vec<Change> {
    let (at, detail) = (Timestamp::UNIX_EPOCH, "x".repeat(4_000));
    let event = RunEvent::Deferred { cause: Cause::Busy, detail, until: at };
    let change = |run: holdfast_model::Run| Change {
        from: run.version,
        run: run.after(&event, at).unwrap(),
        events: vec![event.clone()],
        at,
    };
    store.runs(&RunFilter::default()).await.unwrap().into_iter().map(change).collect()
}
