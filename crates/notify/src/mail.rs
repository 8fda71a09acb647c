//! Sends e-mail over SMTP.

use std::error::Error as _;

use holdfast_config::{Email, MailTls};
use holdfast_model::inert;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};

use crate::send_error::{SendError, TIMEOUT};

/// Sends a text to the receivers of a channel. The id is the message's, so that a mail that comes twice is known as one.
pub async fn send(
    email: &Email,
    login: Option<(&str, SecretString)>,
    (subject, text): (String, String),
    id: &str,
) -> Result<(), SendError> {
    let message = message(email, (subject, text), id)?;
    let transport = transport(email, login)?;
    transport.send(message).await.map(drop).map_err(|error| failed(&error))
}

fn message(email: &Email, (subject, text): (String, String), id: &str) -> Result<Message, SendError> {
    let host = email.from.rsplit_once('@').map_or("holdfast", |(_, host)| host);
    let builder: MessageBuilder = Message::builder()
        .from(mailbox(&email.from)?)
        .subject(subject)
        .message_id(Some(format!("<{id}@{host}>")))
        .header(ContentType::TEXT_PLAIN);
    let builder = email.to.iter().try_fold(builder, |builder, to| Ok(builder.to(mailbox(to)?)))?;
    builder.body(text).map_err(|error| SendError::Never(format!("the mail cannot be written: {error}")))
}

fn mailbox(address: &str) -> Result<Mailbox, SendError> {
    address.parse().map_err(|error| SendError::Never(format!("`{address}` is no address: {error}")))
}

/// A transport whose connection is encrypted, or goes to this machine. STARTTLS must be offered, so that nobody on the way can
/// keep it off.
fn transport(
    email: &Email,
    login: Option<(&str, SecretString)>,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, SendError> {
    type Smtp = AsyncSmtpTransport<Tokio1Executor>;
    let builder = match email.tls {
        MailTls::Implicit => Smtp::relay(&email.server),
        MailTls::StartTls => Smtp::starttls_relay(&email.server),
        MailTls::None => Ok(Smtp::builder_dangerous(&email.server)),
    };
    let builder = builder.map_err(|error| SendError::later(format!("no TLS is possible: {error}")))?;
    let builder = builder.port(email.port).timeout(Some(TIMEOUT));
    Ok(match login {
        Some((user, password)) => builder
            .credentials(Credentials::new(user.to_owned(), password.expose_secret().to_owned()))
            .build(),
        None => builder.build(),
    })
}

/// A server's word of 5xx is final, but for a refused login, whose password may be replaced.
fn failed(error: &lettre::transport::smtp::Error) -> SendError {
    let code = error.status().map(u16::from);
    match code {
        Some(code) if error.is_permanent() && !matches!(code, 530 | 534 | 535) => {
            SendError::Never(format!("the mail server refused it with {code}"))
        }
        Some(code) => SendError::later(format!("the mail server answered {code}")),
        None if error.is_timeout() => SendError::later("the mail server did not answer in time"),
        None => {
            let why = why(error);
            let help = if why.contains("certificate") {
                "; the system's certificates, or those of SSL_CERT_FILE, must have its authority"
            } else {
                ""
            };
            SendError::later(format!("no connection to the mail server: {why}{help}"))
        }
    }
}

/// The innermost cause: that a certificate does not verify, for example. It is about the connection, and holds no secret.
fn why(error: &lettre::transport::smtp::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(found) = cause {
        (text, cause) = (found.to_string(), found.source());
    }
    inert(&text).into_owned()
}
