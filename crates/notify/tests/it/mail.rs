//! E-mail against a real SMTP server.

use holdfast_config::{Channel, Email, MailTls};
use holdfast_notify::{NoticeKind, SendError, Sending as _};
use holdfast_storage::SecretRef;
use holdfast_tests::smtp_server::{Certificate, SmtpServer};

use crate::channels::{notice, sender};

const ID: &str = "0123456789abcdef-1-mail";

fn email(port: u16, tls: MailTls) -> Email {
    Email {
        server: "127.0.0.1".into(),
        port,
        tls,
        from: "holdfast@contoso.com".into(),
        to: vec!["ops@contoso.com".into(), "ann@contoso.com".into()],
        login: None,
    }
}

async fn send(email: Email, kind: NoticeKind) -> Result<(), SendError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    sender(Channel::Email(email), &[("PASSWORD", "s3cret")]).send(ID, &notice(kind)).await
}

#[tokio::test]
async fn a_mail_reaches_each_receiver_with_the_id_of_its_notification() {
    let Some(mut server) = SmtpServer::start(&["plain"]).await else { return };
    send(email(server.port, MailTls::None), NoticeKind::Opened).await.unwrap();
    let mail = server.mail().await;
    assert_eq!(mail["from"], "holdfast@contoso.com");
    assert_eq!(mail["to"], serde_json::json!(["ops@contoso.com", "ann@contoso.com"]));
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains(&format!("Message-ID: <{ID}@contoso.com>")), "{text}");
    assert!(text.contains("Subject: [holdfast] 1 app not backed up: out of reach (gold)"), "{text}");
    assert!(text.contains("Apps: shop, ***") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_login_is_by_the_secret_that_the_fleet_file_refers_to() {
    let Some(mut server) = SmtpServer::start(&["login"]).await else { return };
    let login = |name: &str| Some(("holdfast".to_owned(), SecretRef::Env(name.to_owned())));
    let with = |login| Email { login, ..email(server.port, MailTls::None) };
    send(with(login("PASSWORD")), NoticeKind::Opened).await.unwrap();
    let without = send(with(None), NoticeKind::Opened).await.unwrap_err();
    let wrong = Email { login: Some(("bob".into(), SecretRef::Env("PASSWORD".into()))), ..with(None) };
    let wrong = send(wrong, NoticeKind::Opened).await.unwrap_err();
    for error in [without, wrong] {
        assert!(matches!(&error, SendError::Later { .. }), "a password may be replaced: {error}");
        assert!(!error.to_string().contains("s3cret"));
    }
    assert_eq!(server.mail().await["from"], "holdfast@contoso.com");
}

#[tokio::test]
async fn a_server_that_offers_no_starttls_or_an_unknown_certificate_gets_no_mail() {
    let Some(plain) = SmtpServer::start(&["plain"]).await else { return };
    let error = send(email(plain.port, MailTls::StartTls), NoticeKind::Opened).await.unwrap_err();
    assert!(matches!(error, SendError::Later { .. }), "{error}");
    assert!(error.to_string().contains("STARTTLS is not supported on this server"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let own = Certificate::of("127.0.0.1", folder.path());
    let Some(unknown) = SmtpServer::start_tls(&own).await else { return };
    let error = send(email(unknown.port, MailTls::StartTls), NoticeKind::Opened).await.unwrap_err();
    assert!(matches!(error, SendError::Later { .. }), "{error}");
    assert!(error.to_string().contains("certificate: UnknownIssuer; the system's certificates"), "{error}");
}
