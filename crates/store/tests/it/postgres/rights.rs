//! The rights of the roles that the page on roles tells of.

use holdfast_store::{Error, Link, Mode, PgStore, RunFilter, Store, row_differences, verify_chain};
use holdfast_tests::postgres::Database;
use sqlx::{AssertSqlSafe, PgConnection};

use super::Fixture;

/// Statements in the name of a role.
pub async fn as_role(fixture: &Fixture, role: &str) -> PgConnection {
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
pub struct Login<'a> {
    database: &'a Database,
    name: String,
}

impl<'a> Login<'a> {
    pub async fn new(database: &'a Database, rights: &str) -> Self {
        let this = Self { database, name: format!("login_{}", database.name()) };
        this.sql("DROP ROLE IF EXISTS {login}").await;
        this.sql(&format!("CREATE ROLE {{login}} LOGIN PASSWORD 'hush' {rights}")).await;
        this
    }

    /// Runs SQL as the superuser, with the login's name in it.
    pub async fn sql(&self, sql: &str) {
        let sql = sql.replace("{login}", &self.name).replace("{db}", self.database.name());
        let sql = AssertSqlSafe(sql);
        sqlx::raw_sql(sql).execute(&mut self.database.raw().await).await.unwrap();
    }

    pub async fn connect(&self, mode: Mode) -> Result<PgStore, Error> {
        PgStore::connect(&self.database.url_as(&self.name, "hush"), mode).await
    }

    pub async fn gone(self) {
        self.sql("DROP OWNED BY {login} CASCADE; DROP ROLE {login}").await;
    }
}

#[tokio::test]
async fn the_app_can_do_all_its_work_and_cannot_touch_the_audit() {
    let Some(mut fixture) = Fixture::with_backups().await else { return };
    let old = fixture.add("shop").await;
    let roles = fixture.database.grant().await;
    let login = Login::new(&fixture.database, &format!("IN ROLE {}", roles.app)).await;
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
    assert_eq!(store.runs(&RunFilter::default()).await.unwrap().len(), 9, "with the enrolments");
    fixture.sql("INSERT INTO budgets VALUES ('s', 'dance', 0, now(), NULL)").await.unwrap();
    let removal = crate::unreadable_rows::removal("budgets", "s dance");
    assert!(matches!(store.remove_unreadable(&removal).await.unwrap(), holdfast_store::Removed::Done(_)));
    let rows = store.chain(0, 9_999).await.unwrap();
    verify_chain(&rows, Link::origin()).unwrap();
    store.close().await;
    login.gone().await;

    let mut app = as_role(&fixture, &roles.app).await;
    for statement in [
        "UPDATE audit_events SET data = data",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "UPDATE audit_events_else SET data = data",
        "DELETE FROM audit_events_else",
        "INSERT INTO audit_events_else (seq) VALUES (1)",
        "UPDATE audit_head SET seq = 0",
        "UPDATE audit_head SET at = 'epoch'",
        "DELETE FROM catalog",
        "CREATE TABLE mine (one text)",
        "CREATE FUNCTION hashtextextended(text, integer) RETURNS bigint LANGUAGE sql RETURN 1",
        "SELECT guard_audit_partition('x')",
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
async fn the_auditor_reads_all_verifies_and_writes_nothing() {
    let Some(fixture) = Fixture::with_backups().await else { return };
    let roles = fixture.database.grant().await;
    let mut auditor = as_role(&fixture, &roles.auditor).await;
    let named = "SELECT relname::text FROM pg_class
        WHERE relnamespace = 'holdfast'::regnamespace AND relkind IN ('r', 'p', 'v')";
    let named: Vec<String> = sqlx::query_scalar(named).fetch_all(&mut auditor).await.unwrap();
    assert!(named.len() > 20);
    for name in named {
        sqlx::raw_sql(AssertSqlSafe(format!("SELECT * FROM {name}"))).execute(&mut auditor).await.unwrap();
        let writes = "SELECT has_table_privilege($1, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')";
        let writes: bool = sqlx::query_scalar(writes).bind(&name).fetch_one(&mut auditor).await.unwrap();
        assert!(!writes, "{name}");
    }
    for statement in ["SELECT audit_last()", "SELECT make_audit_partitions()", "CREATE TABLE mine (one text)"]
    {
        refused(&mut auditor, statement).await;
    }
    let login = Login::new(&fixture.database, &format!("IN ROLE {}", roles.auditor)).await;
    let store = login.connect(Mode::Read).await.unwrap();
    verify_chain(&store.chain(0, 9_999).await.unwrap(), Link::origin()).unwrap();
    assert_eq!(row_differences(&store).await.unwrap(), [""; 0]);
    store.close().await;
    login.gone().await;
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
async fn an_owner_who_is_no_superuser_migrates_and_the_schema_of_another_role_is_refused() {
    let Some(database) = Database::new().await else { return };
    let login = Login::new(&database, "").await;
    login.sql("GRANT CONNECT, CREATE ON DATABASE {db} TO {login}").await;
    let store = login.connect(Mode::Own).await.unwrap();
    assert_eq!(store.audit(0, 9).await.unwrap(), []);
    store.close().await;
    login.sql("DROP SCHEMA holdfast CASCADE; CREATE ROLE {login}_other; CREATE SCHEMA holdfast AUTHORIZATION {login}_other;
        GRANT USAGE ON SCHEMA holdfast TO PUBLIC").await;
    let refusal = login.connect(Mode::Own).await.unwrap_err().to_string();
    assert!(refusal.contains("its schema holdfast belongs to") && refusal.contains("_other"), "{refusal}");
    login.sql("DROP SCHEMA holdfast; DROP ROLE {login}_other").await;
    login.gone().await;
}
