//! What becomes of a group whose transaction is cut off.

use std::sync::Arc;

use futures::future::join_all;
use holdfast_store::{Change, Committed, GroupCommit, Mode, PgStore, Store};
use holdfast_tests::proxy::Proxy;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;

use super::Fixture;

/// The number of the advisory lock at which each commit of a `Cut` waits.
const GATE: i64 = 42;

/// A store behind a proxy whose commits wait at a gate, in the middle of COMMIT.
struct Cut {
    fixture: Fixture,
    proxy: Proxy,
    commits: GroupCommit,
    changes: Vec<Change>,
    gate: PgConnection,
}

impl Cut {
    async fn new() -> Option<Self> {
        let mut fixture = Fixture::empty().await?;
        let mut changes = Vec::new();
        for n in 0..6 {
            let run = fixture.add(&format!("app{n}")).await;
            let (from, at, event) = (run.version, run.created_at, fixture.started(&run));
            changes.push(Change { from, run: run.after(&event, at).unwrap(), events: vec![event], at });
        }
        let trigger = format!(
            "CREATE FUNCTION holdfast.wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER gate AFTER UPDATE ON holdfast.runs DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION holdfast.wait_at_gate()"
        );
        fixture.sql(&trigger).await.unwrap();
        let (proxy, url) = Proxy::before_url(fixture.database.url().expose_secret()).await;
        let store = PgStore::connect(&SecretString::from(url), Mode::Join).await.unwrap();
        let commits = GroupCommit::new(Arc::new(store.with_clock(fixture.clock.clone())));
        let mut gate = fixture.database.raw().await;
        let lock = format!("SELECT pg_advisory_lock({GATE})");
        sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut gate).await.unwrap();
        Some(Self { fixture, proxy, commits, changes, gate })
    }

    /// Waits until as many backends stand at the gate.
    async fn stands_at_gate(&self) {
        let mut raw = self.fixture.database.raw().await;
        let waiting =
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database =
            (SELECT oid FROM pg_database WHERE datname = current_database())";
        loop {
            let (count,): (i64,) = sqlx::query_as(waiting).fetch_one(&mut raw).await.unwrap();
            if count > 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn open_gate(&mut self) {
        sqlx::raw_sql("SELECT pg_advisory_unlock_all()").execute(&mut self.gate).await.unwrap();
    }

    /// Waits until no backend but the test's own is in a transaction.
    async fn is_quiet(&self) {
        let mut raw = self.fixture.database.raw().await;
        let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
            AND pid <> pg_backend_pid() AND (state <> 'idle' OR wait_event_type = 'Lock')";
        while sqlx::query_as::<_, (i64,)>(busy).fetch_one(&mut raw).await.unwrap().0 > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// How many of the runs have their change.
    async fn written(&self) -> usize {
        let mut written = 0;
        for change in &self.changes {
            let run = self.fixture.store.load(change.run.id).await.unwrap().unwrap().run;
            written += usize::from(run.version == change.from + 1);
        }
        written
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_arrive_during_a_transaction_share_the_next_one() {
    let Some(mut cut) = Cut::new().await else { return };
    let (commits, changes) = (cut.commits.clone(), cut.changes.clone());
    let all =
        tokio::spawn(async move { join_all(changes.into_iter().map(|change| commits.commit(change))).await });
    cut.stands_at_gate().await;
    cut.open_gate().await;
    for result in all.await.unwrap() {
        assert_eq!(result.unwrap(), Committed::Done(2));
    }
    let mut raw = cut.fixture.database.raw().await;
    let (transactions,): (i64,) = sqlx::query_as(
        "SELECT count(DISTINCT xmin::text) FROM holdfast.audit_events WHERE event = 'attempt_started'",
    )
    .fetch_one(&mut raw)
    .await
    .unwrap();
    assert_eq!(transactions, 2);
}

/// The connection breaks after the database has committed: nobody knows, and a second try finds the change made.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_whose_answer_is_lost_after_its_commit_is_stale_at_the_second_try() {
    let Some(mut cut) = Cut::new().await else { return };
    let first = tokio::spawn({
        let (commits, change) = (cut.commits.clone(), cut.changes[0].clone());
        async move { commits.commit(change).await }
    });
    cut.stands_at_gate().await;
    // The server is in the middle of COMMIT, and does not notice.
    cut.proxy.cut();
    assert!(first.await.unwrap().is_err());
    cut.open_gate().await;
    cut.is_quiet().await;
    assert_eq!(cut.written().await, 1);
    let again = join_all(cut.changes.iter().map(|change| cut.commits.commit(change.clone()))).await;
    let stale = again.into_iter().filter(|result| *result.as_ref().unwrap() == Committed::Stale).count();
    assert_eq!((stale, cut.written().await), (1, 6));
}

/// The database ends the transaction in the middle of COMMIT: every change of the group fails, and can be made again.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_whose_connection_is_lost_before_its_commit_writes_nothing() {
    let Some(mut cut) = Cut::new().await else { return };
    let (commits, changes) = (cut.commits.clone(), cut.changes.clone());
    let all =
        tokio::spawn(async move { join_all(changes.into_iter().map(|change| commits.commit(change))).await });
    // The first change alone, and then the others as one group.
    for _ in 0..2 {
        cut.stands_at_gate().await;
        let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks
            WHERE locktype = 'advisory' AND NOT granted AND objid = 42";
        // It returns when the backend has ended.
        cut.fixture.sql(end).await.unwrap();
    }
    assert!(all.await.unwrap().iter().all(Result::is_err));
    assert_eq!(cut.written().await, 0);
    cut.open_gate().await;
    let again = join_all(cut.changes.iter().map(|change| cut.commits.commit(change.clone()))).await;
    assert!(again.into_iter().all(|result| result.unwrap() == Committed::Done(2)));
}
