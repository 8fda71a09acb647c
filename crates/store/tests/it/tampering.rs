//! The database refuses to change the audit; who forces it is found out.

use holdfast_store::{Broken, Content, Damage, Link, Store, verify_chain};

use crate::history::Fixture;

async fn sql(fixture: &Fixture, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(&mut fixture.raw().await).await.map(|_| ())
}

/// Takes the guards away, and then does it.
async fn force(fixture: &Fixture, statement: &'static str) {
    for guard in [
        "DROP TRIGGER IF EXISTS audit_events_stay",
        "DROP TRIGGER IF EXISTS audit_events_are_kept",
        "DROP TRIGGER IF EXISTS audit_events_follow",
        "DROP INDEX IF EXISTS audit_events_by_kind",
    ] {
        sql(fixture, guard).await.unwrap();
    }
    sql(fixture, statement).await.unwrap();
}

async fn verify(fixture: &Fixture) -> Result<Link, Broken> {
    verify_chain(&fixture.store.chain(0, 9_999).await.unwrap(), Link::origin())
}

#[tokio::test]
async fn the_database_itself_refuses_to_touch_what_is_written() {
    let fixture = Fixture::with_backups().await;
    for (statement, words) in [
        ("UPDATE audit_events SET at = at WHERE seq = 2", "an audit event is never changed"),
        ("DELETE FROM audit_events WHERE seq = 2", "an audit event is never deleted"),
        (
            "INSERT OR REPLACE INTO audit_events (seq, at, run_id, app, data, previous, hash)
          VALUES (2, '', '', '', '{}', '', '')",
            "an audit event follows the last one",
        ),
        (
            "INSERT INTO audit_events (seq, at, run_id, app, data, previous, hash)
          VALUES (999, '', '', '', '{}', '', '')",
            "an audit event follows the last one",
        ),
        ("UPDATE runs SET outcome = 'succeeded'", "a run that has ended is never changed"),
        ("DELETE FROM runs", "a run is never deleted"),
        ("INSERT OR REPLACE INTO runs SELECT * FROM runs", "a run with this id is there already"),
    ] {
        let refusal = sql(&fixture, statement).await.unwrap_err().to_string();
        assert!(refusal.contains(words), "{statement}: {refusal}");
    }
    assert!(verify(&fixture).await.is_ok());
}

/// Statements that tamper with the audit of [`Fixture::with_backups`] in any SQL store, and what each damages first.
pub const TAMPERING: [(&str, i64, Damage); 7] = [
    ("UPDATE audit_events SET data = replace(data, ':', ': ') WHERE seq = 3", 3, Damage::Changed),
    ("UPDATE audit_events SET data = replace(data, 'timed_out', 'skipped')", 23, Damage::Changed),
    ("UPDATE audit_events SET app = app || 'x' WHERE seq = 1", 1, Damage::Changed),
    ("DELETE FROM audit_events WHERE seq = 4", 4, Damage::Missing),
    ("DELETE FROM audit_events WHERE seq < 4", 1, Damage::Missing),
    (
        "UPDATE audit_events SET seq = -seq WHERE seq IN (2, 3);
         UPDATE audit_events SET seq = 5 + seq WHERE seq IN (-2, -3)",
        2,
        Damage::Reordered,
    ),
    ("UPDATE audit_events SET previous = hash WHERE seq = 6", 6, Damage::Reordered),
];

#[tokio::test]
async fn each_kind_of_tampering_is_found_where_it_is() {
    let own = [
        ("UPDATE audit_events SET data = '{\"event\":\"feast\"}' WHERE seq = 3", 3, Damage::Changed),
        ("UPDATE audit_events SET at = '2020-01-01T00:00:00.000Z' WHERE seq = 4", 4, Damage::Changed),
        ("UPDATE audit_events SET run_id = 'x' WHERE seq = 5", 5, Damage::Changed),
        (
            "DELETE FROM audit_events WHERE seq = 4; UPDATE audit_events SET seq = seq - 1 WHERE seq > 4",
            4,
            Damage::Reordered,
        ),
    ];
    for (statement, seq, what) in TAMPERING.into_iter().chain(own) {
        let fixture = Fixture::with_backups().await;
        force(&fixture, statement).await;
        assert_eq!(verify(&fixture).await, Err(Broken { seq, what }), "{statement}");
    }
}

#[tokio::test]
async fn an_event_replaced_with_its_own_new_hash_is_found_by_the_next() {
    let fixture = Fixture::with_backups().await;
    let rows = fixture.store.chain(0, 9).await.unwrap();
    let forged = rows[2].link.then(&Content { data: "{\"event\":\"ended\"}", ..rows[3].content() });
    force(&fixture, "SELECT 1").await;
    sqlx::query("UPDATE audit_events SET data = '{\"event\":\"ended\"}', hash = ? WHERE seq = 4")
        .bind(forged.hash)
        .execute(&mut fixture.raw().await)
        .await
        .unwrap();
    assert_eq!(verify(&fixture).await, Err(Broken { seq: 5, what: Damage::Reordered }));
}

#[tokio::test]
async fn events_cut_off_at_the_end_are_found_by_who_kept_the_last_hash() {
    let fixture = Fixture::with_backups().await;
    let kept = verify(&fixture).await.unwrap();
    force(&fixture, "DELETE FROM audit_events WHERE seq = (SELECT max(seq) FROM audit_events)").await;
    assert_ne!(verify(&fixture).await.unwrap(), kept);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_with_its_column() {
    let mut fixture = Fixture::empty().await;
    let run = fixture.add("shop").await;
    sql(&fixture, "UPDATE runs SET state_json = '{}'").await.unwrap();
    let error = fixture.store.load(run.id).await.unwrap_err().to_string();
    assert!(error.contains("state_json") && error.contains(&run.id.to_string()), "{error}");
}
