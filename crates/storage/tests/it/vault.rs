//! Secrets in a Key Vault.

use std::sync::Arc;

use holdfast_storage::{Error, ErrorKind, LiveSecrets, SasSource, SecretError, SecretRef, Secrets, Tokens};
use secrecy::{ExposeSecret, SecretString};

use crate::server::{Asked, Badge, Nobody, Reply, Server, TOKEN, agree, clock, grant, need, sas};

/// A vault on a server's address.
fn reference(server: &Server, path: &str) -> SecretRef {
    let mut url = server.container.url().clone();
    url.set_path(path);
    format!("keyvault:{url}").parse().unwrap()
}

fn secrets(tokens: Arc<dyn Tokens>) -> LiveSecrets {
    let _ = rustls::crypto::ring::default_provider().install_default();
    LiveSecrets::new(tokens).unwrap()
}

async fn read(server: &Server) -> Result<SecretString, SecretError> {
    secrets(Arc::new(Badge::default())).read(&reference(server, "/secrets/sas")).await
}

/// As Key Vault answers.
fn holding(value: &str) -> Reply {
    Reply::status(200).body(&format!(r#"{{"value":"{value}","id":"x","attributes":{{"enabled":true}}}}"#))
}

#[tokio::test]
async fn a_secret_is_asked_for_with_a_token_of_the_vaults_scope() {
    let (server, badge) = (Server::start().await, Arc::new(Badge::default()));
    server.answer_with(|_| holding(r"c2VjcmV0\u003d\n"));
    let version = reference(&server, "/secrets/storage-key/0123abcd");
    let secret = secrets(badge.clone()).read(&version).await.unwrap();
    assert_eq!(secret.expose_secret(), "c2VjcmV0=");
    let [Asked { method, path, query, authorization, .. }] = &server.take_asked()[..] else { unreachable!() };
    assert_eq!((method.as_str(), path.as_str()), ("GET", "/secrets/storage-key/0123abcd"));
    assert_eq!((query.as_str(), authorization), ("api-version=7.4", &format!("Bearer {TOKEN}")));
    assert_eq!(*badge.scopes.lock().unwrap(), ["https://vault.azure.net/.default"]);
}

#[tokio::test]
async fn each_refusal_names_the_reference_and_says_who_must_act() {
    for (status, kind, said) in [
        (401, ErrorKind::SecretMissing, "Key Vault Secrets User"),
        (403, ErrorKind::SecretMissing, "Key Vault Secrets User"),
        (404, ErrorKind::SecretMissing, "no such secret"),
        (400, ErrorKind::SecretMissing, "check the vault's address"),
        (302, ErrorKind::SecretMissing, "check the vault's address"),
        (429, ErrorKind::Unreachable, "try again later"),
        (503, ErrorKind::Unreachable, "try again later"),
    ] {
        let server = Server::start().await;
        server.answer_with(move |_| Reply::status(status).body(r#"{"value":"c2VjcmV0"}"#));
        let error = read(&server).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert_eq!(error.kind(), kind, "{text}");
        assert!(
            text.contains(&reference(&server, "/secrets/sas").to_string()) && text.contains(said),
            "{text}"
        );
        assert!(!text.contains("c2VjcmV0") && !text.contains(TOKEN), "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_waited_out_and_an_empty_secret_is_not() {
    let server = Server::start().await;
    for body in ["", "[]", r#"{"value":1}"#, "<html>c2VjcmV0</html>"] {
        server.answer_with(move |_| Reply::status(200).body(body));
        let error = read(&server).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
    }
    let long = "x".repeat(300 * 1024);
    server.answer_with(move |_| holding(&long));
    assert_eq!(read(&server).await.unwrap_err().kind(), ErrorKind::Unreachable);
    server.answer_with(|_| holding(" "));
    assert!(matches!(read(&server).await, Err(SecretError::Empty(_))));
}

#[tokio::test]
async fn a_vault_is_not_called_without_a_token() {
    let server = Server::start().await;
    let error = secrets(Arc::new(Nobody)).read(&reference(&server, "/secrets/sas")).await.unwrap_err();
    assert!(error.to_string().ends_with("nobody is logged in"), "{error}");
    assert_eq!((error.kind(), server.take_asked()), (ErrorKind::Unreachable, vec![]));
}

#[tokio::test]
async fn a_sas_in_a_vault_is_granted_and_a_vault_in_trouble_is_waited_out() {
    let (server, clock) = (Server::start().await, clock());
    let source = SasSource::Url(reference(&server, "/secrets/sas"));
    let storage = server.storage(&clock, source);
    server.answer_with(|asked| match asked.method.as_str() {
        "GET" => Reply::status(503),
        _ => agree(asked),
    });
    let error = grant(&storage, &need(&clock)).await.unwrap_err();
    assert!(matches!(error, Error::ReadSecret { .. }) && error.kind() == ErrorKind::Unreachable, "{error}");
    server.answer_with(|asked| match asked.method.as_str() {
        "GET" => holding(&sas("Zmlyc3Q")),
        _ => agree(asked),
    });
    let granted = grant(&storage, &need(&clock)).await.unwrap();
    assert!(granted.url.expose_secret().contains("sig=Zmlyc3Q"));
    let shown = format!("{storage:?} {granted:?}");
    assert!(!shown.contains("Zmlyc3Q") && !shown.contains(TOKEN), "{shown}");
}
