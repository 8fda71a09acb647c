//! The database refuses to change the audit; who forces it is found out.

use std::time::Duration;

use holdfast_model::{BackupId, OperatorAction};
use holdfast_store::{Broken, Content, Damage, Link, Store, row_differences, verify_chain};

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
    ("UPDATE audit_events SET data = replace(data, 'timed_out', 'skipped')", 26, Damage::Changed),
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

/// Takes the guards of the catalog away, and then does it.
async fn force_catalog(fixture: &Fixture, statement: &'static str) {
    for guard in [
        "DROP TRIGGER catalog_changes_follow_the_audit",
        "DROP TRIGGER catalog_changes_have_their_holds",
        "DROP TRIGGER catalog_entries_are_kept",
        "DROP TRIGGER catalog_entries_keep_their_key",
        "DROP TRIGGER runs_that_ended_stay",
        "DROP TRIGGER runs_keep_their_creation",
    ] {
        sql(fixture, guard).await.unwrap();
    }
    sql(fixture, statement).await.unwrap();
}

#[tokio::test]
async fn the_catalog_changes_only_with_its_events() {
    let fixture = Fixture::with_every_kind().await;
    let alone = "the catalog changes only together with the audit event of the change";
    for (statement, words) in [
        ("UPDATE catalog SET hold = NULL WHERE hold IS NOT NULL", "audit event"),
        (
            "UPDATE catalog SET hold = NULL, event_seq = (SELECT max(seq) FROM audit_events WHERE event = 'backup_verified')
             WHERE hold IS NOT NULL",
            "audit event",
        ),
        ("UPDATE catalog SET good = 1 WHERE NOT good", alone),
        ("UPDATE catalog SET removed_at = '2026-01-01T00:00:00.000Z', deleted = 1", alone),
        ("UPDATE catalog SET generation = 9", "the key of a catalog entry is never changed"),
        ("DELETE FROM catalog", "a catalog entry is never deleted"),
        ("INSERT OR REPLACE INTO catalog SELECT * FROM catalog WHERE hold IS NOT NULL", alone),
        ("UPDATE runs SET policy_snapshot = '{}'", "never changed"),
    ] {
        let refused = sql(&fixture, statement).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{statement}: {refused}");
    }
    assert_eq!(row_differences(&fixture.store).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_row_that_was_changed_by_force_is_named_with_what_its_events_say() {
    for (statement, named) in [
        (
            "UPDATE catalog SET hold = NULL WHERE hold IS NOT NULL",
            "`hold` is null, and its events say \"the audit of 2026\"",
        ),
        ("UPDATE catalog SET good = 1 WHERE NOT good", "`good` is true, and its events say false"),
        ("DELETE FROM catalog WHERE backup_id = 5", "hf-5.zip has events and no row"),
        ("UPDATE catalog SET backup_id = 9 WHERE backup_id = 5", "backup 9 of"),
        ("UPDATE catalog SET verified_at = NULL WHERE backup_id = 5", "`verified_at` is null"),
        (
            "UPDATE runs SET outcome = 'succeeded' WHERE outcome = 'failed' AND kind = 'backup'",
            "its state contradicts outcome",
        ),
        (
            "UPDATE runs SET state_json = replace(state_json, 'failed', 'partial') WHERE outcome = 'failed' AND kind = 'backup'",
            "its state or its failures are not those that its events lead to",
        ),
        (
            "UPDATE runs SET task = replace(task, 'hf-1.zip', 'hf-5.zip') WHERE kind = 'delete'",
            "its task is not the one that was planned",
        ),
        (
            "UPDATE apps SET policy = NULL WHERE app LIKE '%/shop'",
            "in no policy, and its events say in policy `gold`",
        ),
        ("UPDATE apps SET paused = 1 WHERE app LIKE '%/shop'", "paused, and its events say in policy `gold`"),
        ("UPDATE apps SET tags = '{}' WHERE app LIKE '%/shop'", "its events say {\"team\":\"shop\"}"),
        ("DELETE FROM apps WHERE app LIKE '%/shop'", "is not enrolled, and its events say"),
    ] {
        let fixture = Fixture::with_every_kind().await;
        force_catalog(&fixture, statement).await;
        let found = row_differences(&fixture.store).await.unwrap();
        assert!(
            !found.is_empty() && found.iter().any(|text| text.contains(named)),
            "{statement}: {found:#?}"
        );
    }
}

#[tokio::test]
async fn a_deletion_of_a_held_backup_is_refused_whatever_the_row_says() {
    let mut fixture = Fixture::with_every_kind().await;
    force_catalog(&fixture, "UPDATE catalog SET hold = NULL WHERE hold IS NOT NULL").await;
    let deletion = fixture.deletion("shop", BackupId(5), "hf-5.zip").await;
    let loaded = fixture.store.load(deletion.id).await.unwrap().unwrap();
    assert_eq!(loaded.subject.unwrap().hold.as_deref(), Some("the audit of 2026"));
    assert!(!fixture.begins(&deletion).await, "the commit finds the hold in the events");
    let released = OperatorAction::Released { backup: BackupId(5), reason: "over".into() };
    fixture.note("shop", released).await;
    assert!(fixture.begins(&deletion).await);
}

#[tokio::test]
async fn a_clock_that_goes_back_dates_no_event_before_the_last_one() {
    let mut fixture = Fixture::with_backups().await;
    let last = fixture.store.chain(0, 9_999).await.unwrap().pop().unwrap();
    let last_at = holdfast_model::parse_timestamp(&last.at).unwrap();
    fixture.clock.set(last_at - Duration::from_hours(1));
    fixture.add("shop").await;
    let next = fixture.store.chain(last.link.seq, 9).await.unwrap().remove(0);
    assert_eq!(next.at, last.at);
    let content =
        Content { at: "2020-01-01T00:00:00.000Z", run_id: "r", app: "a", data: "{}", database_role: "" };
    let forged = last.link.then(&content);
    let early = sqlx::query(
        "INSERT INTO audit_events (seq, at, run_id, app, data, previous, hash) VALUES (?, ?, 'r', 'a', '{}', ?, ?)",
    );
    let early = early.bind(next.link.seq + 1).bind("2020-01-01T00:00:00.000Z");
    let early = early.bind(forged.previous).bind(forged.hash).execute(&mut fixture.raw().await).await;
    assert!(early.unwrap_err().to_string().contains("not dated before the last one"));
    assert_eq!(row_differences(&fixture.store).await.unwrap(), [""; 0]);
}
