//! A mail over STARTTLS: it goes only where the server's certificate verifies.

use holdfast_tests::smtp_server::{Certificate, SmtpServer};

use crate::command::{Ended, FLEET, Place, command};

/// Sends a test mail to a server whose certificates are trusted as those of `trusted` are.
fn test_mail(place: &Place, port: u16, trusted: &Certificate) -> Ended {
    let channel = format!(
        "[channel.mail]\ntype = \"email\"\nserver = \"127.0.0.1\"\nport = {port}\nfrom = \"holdfast@contoso.com\"\nto = [\"ops@contoso.com\"]\n"
    );
    place.write("fleet.toml", &format!("{FLEET}\n{channel}"));
    let mut command = command(&place.path(""), "notify test mail");
    command.env("SSL_CERT_FILE", &trusted.certificate).env("HOLDFAST_NOBODY_SETS_THIS", "a2V5");
    Ended::from(command.output().unwrap())
}

#[tokio::test]
async fn a_mail_goes_by_starttls_to_a_server_whose_certificate_verifies_and_to_no_other() {
    let place = Place::new();
    let [good, other] = ["127.0.0.1", "mail.contoso.com"].map(|name| Certificate::of(name, &place.path("")));
    let Some(mut server) = SmtpServer::start_tls(&good).await else { return };
    let sent = test_mail(&place, server.port, &good);
    assert_eq!((sent.code, sent.out.trim()), (0, "mail accepted a test"), "{}", sent.err);
    let mail = server.mail().await;
    assert_eq!((&mail["tls"], &mail["from"]), (&true.into(), &"holdfast@contoso.com".into()), "{mail}");

    let unknown = test_mail(&place, server.port, &other);
    assert!(unknown.code != 0 && unknown.err.contains("certificate: UnknownIssuer"), "{}", unknown.err);
    let Some(misnamed) = SmtpServer::start_tls(&other).await else { return };
    let refused = test_mail(&place, misnamed.port, &other);
    assert!(refused.code != 0 && refused.err.contains("not valid for name"), "{}", refused.err);
}
