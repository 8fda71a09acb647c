//! The rights of the shipped roles, and the schema where the owner may not create roles.

use holdfast_store::{Error, Link, Mode, PgStore, RunFilter, Store, verify_chain};
use holdfast_tests::postgres::Database;
use sqlx::{AssertSqlSafe, PgConnection};

use super::Fixture;

/// Statements in the name of a role.
async fn as_role(fixture: &Fixture, role: &str) -> PgConnection {
    let mut connection = fixture.database.raw().await;
    let set = AssertSqlSafe(format!("SET ROLE {role}"));
    sqlx::raw_sql(set).execute(&mut connection).await.unwrap();
    connection
}

async fn refused(connection: &mut PgConnection, statement: &str) {
    let refusal = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await;
    let refusal = refusal.map(|_| ()).unwrap_err();
    assert_eq!(refusal.as_database_error().unwrap().code().unwrap(), "42501", "{statement}: {refusal}");
}

/// A login of one of the roles. It is dropped with its connections.
struct Login<'a> {
    database: &'a Database,
    name: String,
}

impl<'a> Login<'a> {
    async fn new(database: &'a Database, rights: &str) -> Self {
        let this = Self { database, name: format!("login_{}", database.name()) };
        this.sql("DROP ROLE IF EXISTS {login}").await;
        this.sql(&format!("CREATE ROLE {{login}} LOGIN PASSWORD 'hush' {rights}")).await;
        this
    }

    /// Runs SQL as the superuser, with the login's name in it.
    async fn sql(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.replace("{login}", &self.name));
        sqlx::raw_sql(sql).execute(&mut self.database.raw().await).await.unwrap();
    }

    async fn connect(&self, mode: Mode) -> Result<PgStore, Error> {
        PgStore::connect(&self.database.url_as(&self.name, "hush"), mode).await
    }

    async fn gone(self) {
        self.sql("DROP OWNED BY {login} CASCADE; DROP ROLE {login}").await;
    }
}

#[tokio::test]
async fn the_app_can_do_all_its_work_and_cannot_touch_the_audit() {
    let Some(mut fixture) = Fixture::with_backups().await else { return };
    let old = fixture.add("shop").await;
    let login = Login::new(&fixture.database, "IN ROLE holdfast_app").await;
    let store = login.connect(Mode::Own).await.unwrap().with_clock(fixture.clock.clone());
    let enrolled = store.status().await.unwrap();
    assert_eq!(enrolled.len(), 3);
    let lane = old.lane().unwrap();
    let asks = [holdfast_store::LaneQuota { lane, most: 5 }];
    let taken = store
        .acquire(
            &asks,
            &holdfast_model::Limits::default(),
            holdfast_store::LeaseTerms { lasts: std::time::Duration::ZERO, seed: 1 },
        )
        .await
        .unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(store.reclaim().await.unwrap(), 1);
    let run = store.load(old.id).await.unwrap().unwrap().run;
    let event = fixture.started(&run);
    let after = run.clone().after(&event, run.created_at).unwrap();
    let change =
        holdfast_store::Change { from: run.version, run: after, events: vec![event], at: run.created_at };
    store.commit(&change).await.unwrap();
    store.sync_fleet(&[], &[]).await.unwrap();
    let subscription = run.app.subscription();
    store.close_budget(subscription, holdfast_model::Call::Read, run.created_at).await.unwrap();
    store.cursors_due(None, 5).await.unwrap();
    store.plan(&[]).await.unwrap();
    store.due_lanes().await.unwrap();
    assert_eq!(store.runs(&RunFilter::default()).await.unwrap().len(), 6);
    fixture.sql("INSERT INTO budgets VALUES ('s', 'dance', 0, now(), NULL)").await.unwrap();
    let removal = crate::unreadable_rows::removal("budgets", "s dance");
    assert!(matches!(store.remove_unreadable(&removal).await.unwrap(), holdfast_store::Removed::Done(_)));
    let rows = store.chain(0, 9_999).await.unwrap();
    verify_chain(&rows, Link::origin()).unwrap();
    store.close().await;
    login.gone().await;

    let mut app = as_role(&fixture, "holdfast_app").await;
    for statement in [
        "UPDATE audit_events SET data = data",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "UPDATE audit_events_else SET data = data",
        "DELETE FROM audit_events_else",
        "INSERT INTO audit_events_else (seq) VALUES (1)",
        "UPDATE audit_head SET seq = 0",
        "DELETE FROM audit_head",
        "DELETE FROM runs",
        "UPDATE set_aside_rows SET reason = ''",
        "DELETE FROM set_aside_rows",
        "TRUNCATE runs",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "DROP TABLE audit_events",
        "SET session_replication_role = replica",
    ] {
        let owners = statement.starts_with("ALTER") || statement.starts_with("DROP");
        let refusal =
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut app).await.map(|_| ()).unwrap_err();
        let code = refusal.as_database_error().unwrap().code().unwrap().into_owned();
        assert!(code == "42501", "{statement}: {refusal} {owners}");
    }
}

#[tokio::test]
async fn the_auditor_reads_every_view_and_the_audit_and_nothing_else() {
    let Some(fixture) = Fixture::with_backups().await else { return };
    let mut auditor = as_role(&fixture, "holdfast_auditor").await;
    let named = "SELECT relname::text, relkind = 'v' FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')";
    let named: Vec<(String, bool)> = sqlx::query_as(named).fetch_all(&mut auditor).await.unwrap();
    assert!(named.len() > 20);
    for (name, is_view) in named {
        let read = format!("SELECT * FROM {name}");
        let is_audit = matches!(name.as_str(), "audit_events" | "audit_checkpoints" | "_sqlx_migrations");
        if is_view || is_audit {
            sqlx::raw_sql(AssertSqlSafe(read)).execute(&mut auditor).await.unwrap();
        } else {
            refused(&mut auditor, &read).await;
        }
        let writes = "SELECT has_table_privilege($1, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')";
        let writes: bool = sqlx::query_scalar(writes).bind(&name).fetch_one(&mut auditor).await.unwrap();
        assert!(!writes, "{name}");
    }
}

#[tokio::test]
async fn a_login_without_a_role_learns_which_role_it_lacks() {
    let Some(fixture) = Fixture::with_backups().await else { return };
    let login = Login::new(&fixture.database, "").await;
    for mode in [Mode::Own, Mode::Join, Mode::Read] {
        let refusal = login.connect(mode).await.unwrap_err().to_string();
        assert!(refusal.contains("lacks a privilege") && !refusal.contains("hush"), "{refusal}");
    }
    login.gone().await;
}

#[tokio::test]
async fn an_owner_who_may_not_make_roles_can_migrate_all_the_same() {
    let Some(database) = Database::new().await else { return };
    let login = Login::new(&database, "").await;
    login.sql("CREATE SCHEMA {login} AUTHORIZATION {login}").await;
    // Without the roles the migration warns and continues; here another test may have created them.
    let store = login.connect(Mode::Own).await.unwrap();
    assert_eq!(store.audit(0, 9).await.unwrap(), []);
    store.close().await;
    login.sql("SET ROLE {login}; SET search_path = {login}; SELECT make_roles()").await;
    login.gone().await;
}
