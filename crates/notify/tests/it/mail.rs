//! E-mail against a real SMTP server.

use std::process::Stdio;

use holdfast_config::{Channel, Email, MailTls};
use holdfast_notify::{NoticeKind, SendError, Sending as _};
use holdfast_storage::SecretRef;
use holdfast_tests::service;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::channels::{notice, sender};

const ID: &str = "0123456789abcdef-1-mail";

/// aiosmtpd in a process of its own, which ends with the test.
struct SmtpServer {
    port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl SmtpServer {
    /// `None` when tests run without servers.
    async fn start(arguments: &[&str]) -> Option<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let python = service("HOLDFAST_TEST_SMTP_SERVER")?;
        let script = format!("{}/tests/it/smtp_server.py", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(python);
        command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().expect("the server starts").parse().unwrap();
        Some(Self { port, lines, _process: process })
    }

    async fn mail(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }
}

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
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&cert, own.cert.pem()).unwrap();
    std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    let arguments = ["starttls", cert.to_str().unwrap(), key.to_str().unwrap()];
    let Some(unknown) = SmtpServer::start(&arguments).await else { return };
    let error = send(email(unknown.port, MailTls::StartTls), NoticeKind::Opened).await.unwrap_err();
    assert!(matches!(error, SendError::Later { .. }), "{error}");
}
