//! Credentials as the fleet file has them, and the tokens they get from a token endpoint.

use std::io::Write;

use holdfast_arm::{Credential, InvalidSettings, PUBLIC_SCOPE, Settings};
use secrecy::{ExposeSecret, SecretString};

use crate::server::{Server, answer, clock, tls, tokens};

const GIVEN: &str = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"S3CR3T-ACCESS"}"#;

fn client_secret() -> Credential {
    Credential::ClientSecret {
        tenant: "bakery.example".into(),
        client_id: "app-1".into(),
        secret: "S3CR3T-CLIENT".into(),
    }
}

#[test]
fn every_kind_of_credential_is_read_from_the_fleet_file_and_an_unknown_key_is_refused() {
    let read = |text: &str| {
        let file: std::collections::BTreeMap<String, Credential<String>> = toml::from_str(text)?;
        Ok::<_, toml::de::Error>(file["credential"].clone())
    };
    let secret =
        r#"credential = { kind = "client_secret", tenant = "t", client_id = "c", secret = "env:S" }"#;
    let Ok(Credential::ClientSecret { tenant, client_id, secret }) = read(secret) else { panic!("not read") };
    assert_eq!([tenant, client_id, secret], ["t", "c", "env:S"]);
    for text in [
        r#"credential = { kind = "workload_identity" }"#,
        r#"credential = { kind = "workload_identity", tenant = "t", client_id = "c", token_file = "/run/token" }"#,
        r#"credential = { kind = "managed_identity", client_id = "c" }"#,
        r#"credential = { kind = "managed_identity" }"#,
        r#"credential = { kind = "azure_cli", tenant = "t" }"#,
    ] {
        assert!(read(text).is_ok(), "{text}");
    }
    for text in [
        r#"credential = { kind = "client_secret", tenant = "t", client_id = "c" }"#,
        r#"credential = { kind = "managed_identity", identity = "c" }"#,
        r#"credential = { kind = "password" }"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn the_secret_replaces_its_reference_and_is_never_shown() {
    let read: Credential<String> =
        Credential::ClientSecret { tenant: "t".into(), client_id: "c".into(), secret: "env:S".into() };
    let credential = read.with_secret(|reference| match reference.as_str() {
        "env:S" => Ok(SecretString::from("S3CR3T")),
        _ => Err("unknown"),
    });
    let Ok(credential) = credential else { panic!("not read") };
    assert!(!format!("{credential:?}").contains("S3CR3T"));
}

#[tokio::test]
async fn a_client_secret_is_exchanged_at_a_token_endpoint_on_this_machine() {
    tls();
    let server = Server::always(200, GIVEN).await;
    let source = client_secret().source(Some(&server.url), PUBLIC_SCOPE).unwrap();
    let token = source.token().await.unwrap();
    assert_eq!(token.secret.expose_secret(), "S3CR3T-ACCESS");
    let [seen] = server.seen().try_into().unwrap();
    assert_eq!((seen.method.as_str(), seen.uri.as_str()), ("POST", "/bakery.example/oauth2/v2.0/token"));
    assert_eq!(
        seen.body,
        "client_id=app-1&client_secret=S3CR3T-CLIENT&grant_type=client_credentials\
         &scope=https%3A%2F%2Fmanagement.azure.com%2F.default"
    );
    assert!(!format!("{source:?} {token:?}").contains("S3CR3T"));
}

#[tokio::test]
async fn a_source_requests_a_token_each_time_so_that_a_refused_token_can_be_replaced() {
    tls();
    let server = Server::always(200, GIVEN).await;
    let source = client_secret().source(Some(&server.url), PUBLIC_SCOPE).unwrap();
    source.token().await.unwrap();
    source.token().await.unwrap();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_workload_identity_reads_its_file_each_time_because_the_cluster_renews_it() {
    tls();
    let server = Server::always(200, GIVEN).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"first").unwrap();
    let credential = Credential::WorkloadIdentity {
        tenant: Some("t".into()),
        client_id: Some("c".into()),
        token_file: Some(file.path().into()),
    };
    let source = credential.source(Some(&server.url), PUBLIC_SCOPE).unwrap();
    source.token().await.unwrap();
    std::fs::write(file.path(), "second").unwrap();
    source.token().await.unwrap();
    let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert!(bodies[0].contains("client_assertion=first") && bodies[1].contains("client_assertion=second"));
}

#[tokio::test]
async fn a_refusal_of_the_token_endpoint_is_reported_without_the_secret() {
    tls();
    for (body, told) in [
        (
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret. client_secret=S3CR3T-CLIENT","error_codes":[7000215],"timestamp":"","trace_id":"","correlation_id":"","error_uri":""}"#,
            "AADSTS7000215: the client secret is wrong",
        ),
        ("<html>proxy</html>", "the token service answered 401"),
        (r#"{"access_token":"S3CR3T-ACCESS","error_description":5}"#, "the token service answered 401"),
    ] {
        let body = body.to_owned();
        let server = Server::new(move |_, _| answer(401, &[], body.clone())).await;
        let source = client_secret().source(Some(&server.url), PUBLIC_SCOPE).unwrap();
        let error = source.token().await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert!(!format!("{error} {error:?}").contains("S3CR3T"), "{error}");
    }
}

#[tokio::test]
async fn an_expired_secret_is_a_refusal_with_its_number_and_cure() {
    tls();
    // The text is escaped, as Entra's is.
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The keys are expired.\r\nTrace ID: 1","error_codes":[7000222]}"#;
    let server = Server::new(move |_, _| answer(401, &[], body)).await;
    let error = client_secret().source(Some(&server.url), PUBLIC_SCOPE).unwrap().token().await.unwrap_err();
    assert!(error.is_refused(), "{error}");
    let text = error.to_string();
    assert!(text.contains("AADSTS7000222: the client secret has expired: create a new one"), "{text}");
}

#[tokio::test]
async fn a_lifetime_is_read_as_text_and_an_absurd_one_is_an_error_and_no_panic() {
    tls();
    for (lives, read) in [
        ("\"3599\"", true),
        ("1000000000000000000", false),
        ("\"1000000000000000000\"", false),
        ("-1", false),
        ("null", false),
    ] {
        let body = format!(r#"{{"token_type":"Bearer","expires_in":{lives},"access_token":"S3CR3T"}}"#);
        let server = Server::always(200, body).await;
        let source = client_secret().source(Some(&server.url), PUBLIC_SCOPE).unwrap();
        match source.token().await {
            Ok(token) => assert!(read && token.secret.expose_secret() == "S3CR3T", "{lives}"),
            Err(error) => {
                assert!(!read && !error.is_refused(), "{lives} {error}");
                assert!(!error.to_string().contains("S3CR3T"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn an_unreachable_or_overloaded_token_endpoint_is_called_once_and_its_failure_reported() {
    tls();
    // Bound and released, so that no server listens on the port.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{free}/").parse().unwrap();
    let error =
        client_secret().source(Some(&nobody), PUBLIC_SCOPE).unwrap().token().await.unwrap_err().to_string();
    assert!(error.contains("refused"), "{error}");
    let server = Server::always(503, "{}").await;
    client_secret().source(Some(&server.url), PUBLIC_SCOPE).unwrap().token().await.unwrap_err();
    assert_eq!(server.seen().len(), 1);
}

/// An endless answer took as much memory as it had bytes.
#[tokio::test]
async fn a_token_answer_that_does_not_end_is_given_up() {
    tls();
    let body =
        format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{}"}}"#, "x".repeat(8 << 20));
    let server = Server::always(200, body).await;
    let error = client_secret().source(Some(&server.url), PUBLIC_SCOPE).unwrap().token().await.unwrap_err();
    assert!(error.to_string().contains("answer is larger than 262144 bytes"), "{error}");
}

#[test]
fn what_a_credential_lacks_shows_before_the_first_token() {
    tls();
    let missing = Credential::WorkloadIdentity {
        tenant: Some("t".into()),
        client_id: Some("c".into()),
        token_file: Some("/nowhere/token".into()),
    };
    let error = missing.source(None, PUBLIC_SCOPE).unwrap_err();
    assert!(error.to_string().contains("/nowhere/token"), "{error}");
    for complete in [
        Credential::ManagedIdentity { client_id: Some("c".into()) },
        Credential::ManagedIdentity { client_id: None },
        Credential::AzureCli { tenant: Some("bakery.example".into()) },
    ] {
        assert!(complete.source(None, PUBLIC_SCOPE).is_ok());
    }
}

#[test]
fn secrets_and_tokens_go_over_plain_http_to_this_machine_only() {
    tls();
    let far = "http://login.example".parse().unwrap();
    assert!(client_secret().source(Some(&far), PUBLIC_SCOPE).is_err());
    let settings = Settings::new(far);
    let rng = fastrand::Rng::with_seed(1);
    let client = holdfast_arm::ArmClient::over_http(
        settings,
        tokens(),
        clock(),
        std::sync::Arc::new(holdfast_arm::NoopCallObserver),
        rng,
    );
    assert!(matches!(client, Err(InvalidSettings::Endpoint(_))));
}
