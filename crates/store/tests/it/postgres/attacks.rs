//! What others on the server try, and what the store says about it.

use holdfast_model::{BackupId, OperatorAction};
use holdfast_store::{Content, Link, Mode, PgStore, Store, row_differences};
use sqlx::{AssertSqlSafe, PgConnection};

use super::Fixture;
use super::rights::{Login, as_role};

async fn refusal(connection: &mut PgConnection, statement: &str) -> String {
    let refused = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await;
    refused.map(|_| ()).unwrap_err().to_string()
}

/// On PostgreSQL 14, and in a database that comes from it, everyone may create in `public`.
#[tokio::test]
async fn functions_that_an_auditor_defines_in_public_are_never_called() {
    let Some(mut fixture) = Fixture::with_backups().await else { return };
    let roles = fixture.database.grant().await;
    let traps = [
        "hashtextextended(text, integer) RETURNS bigint",
        "format(text, name) RETURNS text",
        "format(text, text, text) RETURNS text",
        "to_char(timestamp, text) RETURNS text",
        "json_array_elements_text(json) RETURNS text",
        "whole_seconds(interval) RETURNS bigint",
        "audit_last() RETURNS bigint",
        "make_audit_partitions() RETURNS integer",
        "clock_timestamp() RETURNS timestamptz",
    ];
    let mut sql = "GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE TABLE public.caught (who text);
        GRANT ALL ON public.caught TO PUBLIC;"
        .to_owned();
    sql.extend(["SET ROLE ", &roles.auditor, ";"]);
    for trap in traps {
        let body = "LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO public.caught VALUES (current_user); RETURN NULL; END $$;";
        sql.extend(["CREATE FUNCTION public.", trap, " ", body]);
    }
    // A table that shadows one of ours, and a function for the owner's own sessions.
    sql.push_str("CREATE TABLE public.audit_head (the_one boolean); CREATE TABLE public.apps (app text);");
    fixture.sql(&sql).await.unwrap();
    let owner = PgStore::connect(&fixture.database.url(), Mode::Own).await.unwrap();
    fixture.sql("SET search_path = public; SELECT holdfast.make_audit_partitions(7)").await.unwrap();
    let run = fixture.add("shop").await;
    owner.load(run.id).await.unwrap();
    owner.reclaim().await.unwrap();
    let login = Login::new(&fixture.database, &format!("IN ROLE {}", roles.app)).await;
    let app = login.connect(Mode::Own).await.unwrap();
    app.close_budget(run.app.subscription(), holdfast_model::Call::Read, run.created_at).await.unwrap();
    app.add_runs(&[]).await.unwrap();
    app.close().await;
    login.gone().await;
    let caught = sqlx::query_scalar("SELECT who FROM public.caught");
    let caught: Vec<String> = caught.fetch_all(&mut fixture.database.raw().await).await.unwrap();
    assert_eq!(caught, [""; 0]);
}

#[tokio::test]
async fn at_most_two_years_of_partitions_are_made_however_many_are_asked_for() {
    let Some(fixture) = Fixture::empty().await else { return };
    for ahead in [1_194, i32::MAX, -5] {
        fixture.sql(&format!("SELECT make_audit_partitions({ahead})")).await.unwrap();
    }
    let count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_events'::regclass";
    let count: i64 = sqlx::query_scalar(count).fetch_one(&mut fixture.database.raw().await).await.unwrap();
    assert_eq!(count, 26, "this month, 24 more, and one for all else");
}

/// The statement of an event that follows the last one, with a right hash.
async fn forged(fixture: &Fixture, at: &str, app: &str, data: &str) -> String {
    let last = fixture.store.chain(0, 9_999).await.unwrap().pop().unwrap();
    let link: Link = last.link.then(&Content { at, app, data, ..last.content() });
    let Link { seq, previous, hash } = link;
    format!(
        "INSERT INTO audit_events (seq, at, run_id, app, event, attempt, data, previous, hash)
         VALUES ({seq}, '{at}', '{}', '{app}', '{data}'::jsonb ->> 'event', ('{data}'::jsonb ->> 'number')::bigint,
                 '{data}', '{previous}', '{hash}')",
        last.run_id
    )
}

#[tokio::test]
async fn a_hold_is_neither_taken_off_nor_forged_and_whoever_forces_it_is_found() {
    let Some(fixture) = Fixture::with_every_kind().await else { return };
    let roles = fixture.database.grant().await;
    let mut app = as_role(&fixture, &roles.app).await;
    let apart = "a hold changes only together with its audit event";
    let alone = "the catalog changes only together with the audit event of the change";
    let newest = "event_seq = (SELECT max(seq) FROM audit_events)";
    for (statement, words) in [
        ("UPDATE catalog SET hold = NULL WHERE hold IS NOT NULL".to_owned(), alone),
        (format!("UPDATE catalog SET hold = NULL, {newest} WHERE hold IS NOT NULL"), apart),
        ("UPDATE catalog SET good = true WHERE NOT good".to_owned(), alone),
        ("UPDATE catalog SET removed_at = now(), deleted = true".to_owned(), alone),
        (
            "UPDATE catalog SET generation = 9, event_seq = event_seq + 1".to_owned(),
            "the key of a catalog entry",
        ),
        (
            "INSERT INTO catalog SELECT (json_populate_record(catalog, '{\"backup_id\": 99}')).* FROM catalog
             WHERE hold IS NOT NULL"
                .to_owned(),
            apart,
        ),
        (
            "INSERT INTO catalog SELECT (json_populate_record(catalog, '{\"backup_id\": 99}')).* FROM catalog
             WHERE hold IS NULL LIMIT 1"
                .to_owned(),
            alone,
        ),
        ("UPDATE runs SET policy_snapshot = '{}'".to_owned(), "created with"),
    ] {
        let refused = refusal(&mut app, &statement).await;
        assert!(refused.contains(words), "{statement}: {refused}");
    }
    let held = "SELECT app FROM catalog WHERE hold IS NOT NULL";
    let held: String = sqlx::query_scalar(held).fetch_one(&mut app).await.unwrap();
    let other = r#"{"event":"backup_verified","backup":5,"blob":"hf-5.zip","size_bytes":1}"#;
    let event = forged(&fixture, "2999-01-01T00:00:00.000Z", &held, other).await;
    let off = format!("BEGIN; {event}; UPDATE catalog SET hold = NULL, {newest} WHERE hold IS NOT NULL");
    let refused = refusal(&mut app, &off).await;
    assert!(refused.contains(apart), "{refused}");
    sqlx::raw_sql("ROLLBACK").execute(&mut app).await.unwrap();
    // A release is an event like any other: it is in the audit, with the session that wrote it.
    let early = forged(&fixture, "2020-01-01T00:00:00.000Z", &held, other).await;
    let refused = refusal(&mut app, &early).await;
    assert!(refused.contains("not dated before the last one"), "{refused}");

    assert_eq!(row_differences(&fixture.store).await.unwrap(), [""; 0]);
    let mut owner = fixture.unguarded().await;
    let force = "UPDATE catalog SET hold = NULL WHERE hold IS NOT NULL";
    sqlx::raw_sql(force).execute(&mut owner).await.unwrap();
    let found = row_differences(&fixture.store).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`hold` is null, and its events say \"the audit of 2026\""), "{found:?}");
}

#[tokio::test]
async fn a_deletion_of_a_held_backup_is_refused_whatever_the_row_says() {
    let Some(mut fixture) = Fixture::with_every_kind().await else { return };
    let force = "UPDATE catalog SET hold = NULL WHERE hold IS NOT NULL";
    sqlx::raw_sql(force).execute(&mut fixture.unguarded().await).await.unwrap();
    let deletion = fixture.deletion("shop", BackupId(5), "hf-5.zip").await;
    let loaded = fixture.store.load(deletion.id).await.unwrap().unwrap();
    assert_eq!(loaded.subject.unwrap().hold.as_deref(), Some("the audit of 2026"));
    assert!(!fixture.begins(&deletion).await, "the commit finds the hold in the events");
    let released = OperatorAction::Released { backup: BackupId(5), reason: "over".into() };
    fixture.note("shop", released).await;
    assert!(fixture.begins(&deletion).await);
}

#[tokio::test]
async fn doctor_learns_what_protects_the_schema_and_what_does_not() {
    let Some(fixture) = Fixture::empty().await else { return };
    let roles = fixture.database.grant().await;
    let login = Login::new(&fixture.database, &format!("IN ROLE {}", roles.app)).await;
    let store = login.connect(Mode::Join).await.unwrap();
    let wrong = async || -> Vec<(String, bool, String)> {
        let found = store.safeguards().await.unwrap();
        assert_eq!(found.len(), 8);
        let wrong = found.into_iter().filter(|safeguard| safeguard.cure.is_some());
        wrong.map(|safeguard| (safeguard.name, safeguard.is_serious, safeguard.says)).collect()
    };
    assert_eq!(wrong().await, []);
    for (damage, name, says) in [
        ("GRANT CREATE ON SCHEMA holdfast TO PUBLIC", "public rights", "CREATE on the schema"),
        ("GRANT CONNECT ON DATABASE {db} TO PUBLIC", "public rights", "CONNECT to the database"),
        ("GRANT SELECT ON holdfast.runs TO PUBLIC", "public rights", "SELECT on runs"),
        (
            "GRANT EXECUTE ON FUNCTION holdfast.audit_last() TO PUBLIC",
            "public rights",
            "EXECUTE on audit_last",
        ),
        ("GRANT CREATE ON SCHEMA holdfast TO {login}", "creators", "may create in the schema"),
        ("ALTER TABLE holdfast.budgets OWNER TO {login}", "schema owner", "budgets"),
        ("ALTER FUNCTION holdfast.audit_last() RESET search_path", "functions", "audit_last"),
    ] {
        login.sql(damage).await;
        let found = wrong().await;
        assert!(
            found.iter().any(|(of, serious, text)| of == name && *serious && text.contains(says)),
            "{damage}: {found:?}"
        );
    }
    store.close().await;
    let owner = fixture.store.safeguards().await.unwrap();
    let login_of_owner = owner.into_iter().find(|safeguard| safeguard.name == "login").unwrap();
    assert!(login_of_owner.cure.is_some() && !login_of_owner.is_serious, "{login_of_owner:?}");
    login.gone().await;
}
