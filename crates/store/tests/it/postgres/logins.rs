//! Each event has the login that wrote it, and auditors verify with the right to read alone.

use holdfast_model::{App, OperatorAction};
use holdfast_store::{Link, Mode, PgStore, Store, verify_chain};
use sqlx::AssertSqlSafe;

use super::Fixture;

/// Creates a login for the time of a test.
async fn login(fixture: &Fixture, role: &str) -> String {
    fixture.database.grant().await;
    let (name, database) = (format!("{role}_{}", fixture.database.name()), fixture.database.name());
    let create = format!("CREATE ROLE {name} LOGIN PASSWORD 'hush' IN ROLE {database}_{role}");
    fixture.sql(&create).await.unwrap();
    name
}

async fn drop_login(fixture: &Fixture, name: &str) {
    fixture.sql(&format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}")).await.unwrap();
}

#[tokio::test]
async fn the_server_names_the_login_of_each_event_and_the_hash_covers_it() {
    let Some(mut fixture) = Fixture::empty().await else { return };
    let app = login(&fixture, "app").await;
    let store = PgStore::connect(&fixture.database.url_as(&app, "hush"), Mode::Join).await.unwrap();
    let store = store.with_clock(fixture.clock.clone());
    let other = std::mem::replace(&mut fixture.store, store);
    fixture.note("shop", OperatorAction::Drift { found: None, drift: Vec::new() }).await;
    let rows = other.chain(0, 9).await.unwrap();
    assert_eq!(rows[0].database_role, app);
    assert!(verify_chain(&rows, Link::origin()).is_ok());

    // Another name in the same row, with a hash that is right for it.
    let content = holdfast_store::Content { database_role: "ann", ..rows[0].content() };
    let forged = rows[0].link.then(&content);
    let forge = AssertSqlSafe(format!(
        "INSERT INTO audit_events (seq, at, run_id, app, event, attempt, data, database_role, previous, hash)
         SELECT 2, at, run_id, app, event, attempt, data, 'ann', hash, '{}' FROM audit_events",
        forged.hash
    ));
    let mut connection = fixture.database.raw().await;
    let refusal = sqlx::raw_sql(forge).execute(&mut connection).await.map(|_| ()).unwrap_err().to_string();
    assert!(refusal.contains("an audit event names the login that writes it"), "{refusal}");

    let change = "SET session_replication_role = replica; UPDATE audit_events SET database_role = 'ann'";
    fixture.sql(change).await.unwrap();
    assert!(verify_chain(&other.chain(0, 9).await.unwrap(), Link::origin()).is_err());
    fixture.store.close().await;
    drop_login(&fixture, &app).await;
}

#[tokio::test]
async fn an_auditor_verifies_the_chain_and_writes_nothing() {
    let Some(fixture) = Fixture::with_backups().await else { return };
    let auditor = login(&fixture, "auditor").await;
    let store = PgStore::connect(&fixture.database.url_as(&auditor, "hush"), Mode::Read).await.unwrap();
    let rows = store.chain(0, 9_999).await.unwrap();
    assert_eq!(verify_chain(&rows, Link::origin()).unwrap(), rows.last().unwrap().link);
    assert_eq!(store.checkpoints().await.unwrap(), []);
    let run = holdfast_model::NewRun::operator_action(
        holdfast_model::RunId::new(holdfast_model::Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(1)),
        &App::new(holdfast_model::AppId::new("s", "g", "shop", None)),
        &holdfast_model::PolicySnapshot::new(holdfast_model::StorageName::new("weu"), ""),
        OperatorAction::Drift { found: None, drift: Vec::new() },
        "ann".into(),
        holdfast_model::Timestamp::UNIX_EPOCH,
    );
    assert!(store.add_run(&run).await.is_err());
    store.close().await;
    drop_login(&fixture, &auditor).await;
}
