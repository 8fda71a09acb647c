//! Tokens of an identity in place of the password of the database.

use std::process::Stdio;
use std::time::Duration;

use holdfast_model::{Clock as _, SystemClock};
use holdfast_tests::postgres::Database;
use secrecy::ExposeSecret as _;

use crate::command::{Ended, FLEET, Place, command};
use crate::proxies::server;

const TOKEN: &str = "eyJ0eXAiOiJKV1QifQ-t0k3n";

/// The endpoint's answer in App Service.
fn answer() -> String {
    let expires_on = (SystemClock::default().now() + Duration::from_hours(1)).timestamp();
    format!(
        r#"{{"access_token":"{TOKEN}","expires_on":"{expires_on}","resource":"x","token_type":"Bearer"}}"#
    )
}

/// Runs the program where `identity` serves the tokens of a managed identity.
fn run(place: &Place, line: &str, identity: &str) -> Ended {
    let mut command = command(&place.path(""), line);
    command.env("IDENTITY_ENDPOINT", identity).env("IDENTITY_HEADER", "h");
    // Whatever is logged, the token is not.
    command.env("HOLDFAST_LOG", "trace,sqlx=trace,sqlx_postgres=trace,azure_core=trace,azure_identity=trace");
    let ended = Ended::from(command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap());
    assert!(!ended.err.contains(TOKEN) && !ended.out.contains(TOKEN), "{line}: {}{}", ended.out, ended.err);
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_identitys_token_logs_in_to_the_database() {
    let Some(database) = Database::new().await else { return };
    let place = Place::new();
    place.write("owner", database.url().expose_secret());
    let migrated = place.run("migrate --database-url file:owner");
    assert_eq!(migrated.code, 0, "{}", migrated.err);
    let login = database.app_login(TOKEN).await;
    place.write("url", database.url_as(&login, "").expose_secret());
    let (identity, asked) = server(answer());
    let line = "status --database-url file:url --database-credential managed_identity:8a5f";
    let ended = run(&place, line, &identity);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let request = asked.try_iter().next().unwrap_or_default();
    assert!(
        request.contains("client_id=8a5f") && request.contains("ossrdbms-aad.database.windows.net"),
        "{request}"
    );

    place.write("fleet.toml", &FLEET.replace("azure_cli", "managed_identity"));
    let ended = run(&place, "status --database-url file:url --database-credential azure", &identity);
    assert_eq!(ended.code, 0, "{}", ended.err);

    // A login that the server does not know by this token, and an identity that gives none.
    place.write("url", database.url_as("postgres", "").expose_secret());
    let ended = run(&place, line, &identity);
    assert_eq!(ended.code, 3, "{}", ended.err);
    let expected = "the server refuses the token of managed_identity:8a5f for this user";
    assert!(
        ended.err.contains(expected) && ended.err.contains("pgaadauth_create_principal('postgres'"),
        "{}",
        ended.err
    );
    let ended = run(&place, line, "http://127.0.0.1:1/");
    assert_eq!(ended.code, 3, "{}", ended.err);
    assert!(ended.err.contains("the credential managed_identity:8a5f has no token"), "{}", ended.err);
}

#[test]
fn a_login_that_cannot_be_meant_is_refused_before_a_token_is_requested() {
    let place = Place::new();
    let (identity, asked) = server(answer());
    let tls = "sslmode=verify-full";
    for (line, expected) in [
        (
            format!("status --database-url postgres://u:hunter2hunter2@localhost/x?{tls} --database-credential azure_cli"),
            "error: database_url has a login of its own, beside the credential azure_cli",
        ),
        (
            format!("status --database-url postgres://u@db.example/x?{tls} --database-credential managed_identity"),
            "error: a token of managed_identity would be sent to db.example",
        ),
        (
            "status --database-url postgres://u@x.postgres.database.azure.com/x --database-credential managed_identity"
                .to_owned(),
            "error: the database at x.postgres.database.azure.com:5432 is not on this machine, and sslmode=prefer",
        ),
        (
            "dead-letters list --amqp-url amqps://broker.example/x --amqp-credential managed_identity".to_owned(),
            "error: the scope of the broker's tokens is ``",
        ),
        (
            "dead-letters list --amqp-url amqps://broker.example/x --amqp-credential managed_identity --amqp-scope \
             https://management.azure.com/.default"
                .to_owned(),
            "error: the broker would receive tokens for management.azure.com",
        ),
        (
            "dead-letters list --amqp-url amqps://broker.example/x?certfile=a".to_owned(),
            "error: the broker's URL is invalid: certfile and keyfile need each other",
        ),
        ("status --database-credential contoso".to_owned(), "expected managed_identity or workload_identity"),
    ] {
        let ended = run(&place, &line, &identity);
        assert!(matches!(ended.code, 2 | 3) && ended.err.contains(expected), "{line}: {}", ended.err);
        assert!(!ended.err.contains("hunter2hunter2"), "{}", ended.err);
    }
    assert_eq!(asked.try_iter().next(), None);
}

#[test]
fn the_login_of_each_server_is_printed_without_a_request() {
    let place = Place::new();
    place.write("fleet.toml", FLEET);
    let line = "doctor --egress --database-url postgres://u@x.postgres.database.azure.com/x?sslmode=verify-full \
                --database-credential azure --amqp-url \
                amqps://broker.example/x?certfile=/a&keyfile=/b&auth_mechanism=external";
    let found = place.json(line);
    let receives = |purpose: &str| {
        let rows = found["destinations"].as_array().unwrap();
        rows.iter().find(|row| row["purpose"] == purpose).unwrap()["receives"].clone()
    };
    assert_eq!(receives("PostgreSQL"), "a token of azure, sslmode=verify-full");
    assert_eq!(receives("RabbitMQ"), "its client certificate, by TLS");
}
