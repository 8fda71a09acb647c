//! Passwords that change while a store is open, such as tokens of Entra.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{NoPassword, Password, PasswordSource};
use holdfast_store::{Error, Mode, PgStore, Store};
use secrecy::SecretString;

use super::Fixture;

/// A source whose password the test sets.
#[derive(Debug)]
struct Passwords(Mutex<Result<SecretString, NoPassword>>);

impl Passwords {
    fn set(&self, password: &str) {
        *self.0.lock().unwrap() = Ok(password.into());
    }

    fn fail(&self) {
        *self.0.lock().unwrap() = Err(NoPassword("the credential managed_identity has no token".to_owned()));
    }
}

#[async_trait]
impl PasswordSource for Passwords {
    async fn password(&self) -> Result<Password, NoPassword> {
        let secret = self.0.lock().unwrap().clone()?;
        Ok(Password { secret, valid_for: Duration::from_hours(1) })
    }

    fn credential(&self) -> &'static str {
        "managed_identity"
    }
}

/// The whole error, as a log shows it.
fn words(error: &Error) -> String {
    let source = std::error::Error::source(error).map(|cause| format!("{cause} {cause:?}"));
    format!("{error} {error:?} {source:?}")
}

#[tokio::test]
async fn each_connection_logs_in_with_the_password_that_is_valid_then() {
    let Some(fixture) = Fixture::empty().await else { return };
    let name = fixture.database.app_login("token-1").await;
    let set = async |password: &str| {
        fixture.sql(&format!("ALTER ROLE {name} PASSWORD '{password}'")).await.unwrap();
    };
    let passwords = Arc::new(Passwords(Mutex::new(Ok("token-1".into()))));
    let url = fixture.database.url_as(&name, "");
    let open = || PgStore::connect_with(&url, Some(Arc::clone(&passwords) as _), Mode::Join);
    let store = open().await.unwrap();
    store.now().await.unwrap();

    // The open connection serves on, and two operations at once need a second one.
    set("token-2").await;
    passwords.fail();
    store.now().await.unwrap();
    passwords.set("token-2");
    let (one, two) = tokio::join!(store.now(), store.now());
    one.unwrap();
    two.unwrap();

    // The server ends all connections, so the next operation opens one.
    set("token-3").await;
    passwords.fail();
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'");
    fixture.sql(&end).await.unwrap();
    let error = loop {
        // The first ones find out that their connections were ended.
        match store.now().await.unwrap_err() {
            Error::Driver { .. } => {}
            error => break error,
        }
    };
    let expected = "failed to read the store's time: no login to the database: the credential managed_identity has no token";
    assert_eq!(error.to_string(), expected);
    passwords.set("token-3");
    store.now().await.unwrap();
    let shown = format!("{store:?}");
    store.close().await;

    passwords.set("token-4");
    let refused = words(&open().await.unwrap_err());
    assert!(refused.contains("the server refuses the token of managed_identity"), "{refused}");
    assert!(refused.contains(&format!("pgaadauth_create_principal('{name}', false, false)")), "{refused}");
    passwords.fail();
    let none = words(&open().await.unwrap_err());
    assert!(none.contains("failed to open the store") && none.contains("has no token"), "{none}");
    assert!(!format!("{refused}{none}{shown}").contains("token-"));
}
