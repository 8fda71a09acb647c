//! Tests that need the writing connection.

use std::sync::Arc;

use holdfast_model::{
    App, AppId, ManualClock, NewBackup, NewRun, PolicyName, PolicySnapshot, RunId, StorageName, Timestamp,
    Trigger,
};

use crate::error::Error;
use crate::filter::RunFilter;
use crate::mode::Mode;
use crate::sqlite::SqliteStore;
use crate::store::Store;

#[tokio::test]
async fn a_full_disk_is_an_error_and_once_there_is_space_again_nothing_is_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let store = SqliteStore::open(&folder.path().join("store.db"), clock, Mode::Own).await.unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut run = |name: &str| {
        let app = App {
            id: AppId::new("s", "g", name, None),
            policy: Some(PolicyName::new("gold")),
            plan: None,
            databases: Vec::new(),
            paused: false,
        };
        let policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
        let epoch = Timestamp::UNIX_EPOCH;
        NewRun::backup(
            RunId::new(epoch, &mut rng),
            &app,
            &policy_snapshot,
            NewBackup { tick: None, trigger: Trigger::Manual, due_at: epoch },
            epoch,
        )
    };
    let limit = async |sql: &'static str| {
        let _: i64 = sqlx::query_scalar(sql).fetch_one(&store.database.writer).await.unwrap();
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
    limit("PRAGMA max_page_count = 100000").await;
    store.add_run(&run("after")).await.unwrap();
    assert_eq!(count().await, (added + 1, added + 1));
    let rows = store.chain(0, 9_999).await.unwrap();
    assert_eq!(
        crate::verify_chain(&rows, crate::Link::origin()).unwrap().seq,
        i64::try_from(added).unwrap() + 1
    );
}
