//! The database refuses to change the audit, even to its owner; who forces it is found out.

use holdfast_store::{Broken, Damage, Link, Store, verify_chain};

use super::Fixture;
use crate::tampering::TAMPERING;

/// Does it with all guards off, as only a superuser can.
async fn force(fixture: &Fixture, statement: &str) {
    fixture.sql(&format!("SET session_replication_role = replica; {statement}")).await.unwrap();
}

async fn verify(fixture: &Fixture) -> Result<Link, Broken> {
    verify_chain(&fixture.store.chain(0, 9_999).await.unwrap(), Link::origin())
}

#[tokio::test]
async fn the_database_itself_refuses_to_touch_what_is_written() {
    let Some(fixture) = Fixture::with_backups().await else { return };
    let partition =
        "INSERT INTO audit_events_else (seq, at, run_id, app, event, attempt, data, previous, hash)
        SELECT 99, at, run_id, app, event, attempt, data, previous, hash FROM audit_events LIMIT 1";
    let ahead = partition.replace("audit_events_else", "audit_events");
    let twice = ahead.replace("SELECT 99", "SELECT seq");
    let next = "INSERT INTO audit_events (seq, at, run_id, app, event, attempt, data, previous, hash)
        SELECT (SELECT max(seq) + 1 FROM audit_events), at, run_id, app, event, attempt, data, previous, hash FROM audit_events LIMIT 1";
    for (statement, words) in [
        ("UPDATE audit_events SET at = at WHERE seq = 2", "an audit event is never changed"),
        ("DELETE FROM audit_events WHERE seq = 2", "an audit event is never deleted"),
        ("TRUNCATE audit_events", "an audit event is never deleted"),
        ("TRUNCATE audit_events_else", "an audit event is never deleted"),
        ("UPDATE audit_events_else SET app = ''", "an audit event is never changed"),
        ("DELETE FROM audit_events_else", "an audit event is never deleted"),
        (partition, "audit events are added through audit_events"),
        (&ahead, "an audit event follows the last one"),
        (&twice, "audit_events"),
        (next, "an audit event follows the last one"),
        ("DELETE FROM audit_head", "the end of the audit is never deleted"),
        ("UPDATE runs SET outcome = 'succeeded'", "a run that has ended is never changed"),
        ("DELETE FROM runs", "a run is never deleted"),
        ("TRUNCATE runs", "a run is never deleted"),
    ] {
        let refusal = fixture.sql(statement).await.unwrap_err().to_string();
        assert!(refusal.contains(words), "{statement}: {refusal}");
    }
    assert!(verify(&fixture).await.is_ok());
}

#[tokio::test]
async fn each_kind_of_tampering_is_found_where_it_is() {
    let own = [
        ("UPDATE audit_events SET at = '2020-01-01' WHERE seq = 4", 4, Damage::Changed),
        ("UPDATE audit_events SET at = at + interval '1 microsecond' WHERE seq = 4", 4, Damage::Changed),
        ("UPDATE audit_events SET run_id = gen_random_uuid() WHERE seq = 5", 5, Damage::Changed),
        ("INSERT INTO audit_events SELECT * FROM audit_events WHERE seq = 4", 4, Damage::Reordered),
    ];
    for (statement, seq, what) in TAMPERING.into_iter().chain(own) {
        let Some(fixture) = Fixture::with_backups().await else { return };
        let statement = match statement.strip_prefix("INSERT") {
            // The same number in another partition, where no index forbids it.
            Some(_) => {
                "INSERT INTO audit_events (seq, at, run_id, app, event, attempt, data, previous, hash)
                 SELECT seq, now(), run_id, app, event, attempt, data, previous, hash FROM audit_events WHERE seq = 4"
            }
            None => statement,
        };
        force(&fixture, statement).await;
        let broken = verify(&fixture).await.unwrap_err();
        // Of two rows with one number either may come first.
        let twice = statement.starts_with("INSERT") && (4..=5).contains(&broken.seq);
        assert!(twice || broken == Broken { seq, what }, "{statement}: {broken:?}");
    }
}

#[tokio::test]
async fn events_cut_off_at_the_end_are_missed_by_the_next_append() {
    let Some(mut fixture) = Fixture::with_backups().await else { return };
    let kept = verify(&fixture).await.unwrap();
    force(&fixture, "DELETE FROM audit_events WHERE seq = (SELECT max(seq) FROM audit_events)").await;
    assert_ne!(verify(&fixture).await.unwrap(), kept);
    fixture.add("shop").await;
    assert_eq!(verify(&fixture).await, Err(Broken { seq: kept.seq, what: Damage::Missing }));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_with_its_column() {
    let Some(mut fixture) = Fixture::empty().await else { return };
    let run = fixture.add("shop").await;
    fixture.sql("UPDATE runs SET state_json = '{}'").await.unwrap();
    let error = fixture.store.load(run.id).await.unwrap_err().to_string();
    assert!(error.contains("state_json") && error.contains(&run.id.to_string()), "{error}");
}
