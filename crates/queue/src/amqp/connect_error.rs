//! Why the broker cannot be used.

use std::path::PathBuf;

use holdfast_model::NoPassword;
use lapin::ErrorKind;
use lapin::uri::{AMQPScheme, AMQPUri};

/// Why the broker cannot be used. No variant holds the password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is invalid.
    #[error("the broker's URL is invalid: expected amqp://user:password@host:5672/vhost or amqps://…")]
    Url,
    /// Parts of the URL contradict each other.
    #[error("the broker's URL is invalid: {0}")]
    UrlParts(&'static str),
    /// A file that the URL names cannot be used.
    #[error("failed to read the {key} {path} of the broker's URL: {why}", path = path.display())]
    File {
        /// The key of the URL.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason as text.
        why: String,
    },
    /// There is no password to log in with.
    #[error("no login to the broker at {broker}: {why}")]
    Password {
        /// Host and port.
        broker: String,
        /// Why there is none.
        why: NoPassword,
    },
    /// No broker answers at the address.
    #[error("failed to reach the broker at {broker}: {why}")]
    Reach {
        /// Host and port.
        broker: String,
        /// The reason as text.
        why: String,
    },
    /// The broker refused the login.
    #[error("the broker at {broker} refused the login of user `{user}`: {why}")]
    Login {
        /// Host and port.
        broker: String,
        /// The user's name.
        user: String,
        /// What to check.
        why: String,
    },
    /// The virtual host does not exist, or the user has no access to it.
    #[error("the broker at {broker} does not let user `{user}` into virtual host `{vhost}`: {why}")]
    VirtualHost {
        /// Host and port.
        broker: String,
        /// The user's name.
        user: String,
        /// The virtual host.
        vhost: String,
        /// The broker's message.
        why: String,
    },
    /// The user lacks privileges that Holdfast needs.
    #[error(
        "user `{user}` needs the privileges configure, write and read on the exchanges and queues `{prefix}` and \
         `{prefix}.*` in virtual host `{vhost}`: {why}"
    )]
    Privilege {
        /// The user's name.
        user: String,
        /// The prefix of the names.
        prefix: String,
        /// The virtual host.
        vhost: String,
        /// The broker's message.
        why: String,
    },
    /// An exchange or queue of that name exists with other arguments.
    #[error(
        "an exchange or queue in virtual host `{vhost}` differs from what this version of Holdfast declares; delete \
         it; no run is lost: {why}"
    )]
    Differs {
        /// The virtual host.
        vhost: String,
        /// The broker's message.
        why: String,
    },
    /// The broker answers but the queue does not.
    #[error("queue `{queue}` does not answer; it probably has no leader")]
    Leaderless {
        /// Its name.
        queue: String,
    },
    /// The broker refused another declaration.
    #[error("failed to declare exchanges and queues in virtual host `{vhost}`: {why}")]
    Declare {
        /// The virtual host.
        vhost: String,
        /// The reason as text.
        why: String,
    },
}

/// The error of a channel operation as text.
pub(super) fn describe(error: &lapin::Error) -> String {
    match error.kind() {
        // The broker's own message is precise and holds no password.
        ErrorKind::ProtocolError(error) => error.get_message().to_string(),
        ErrorKind::InvalidConnectionState(_) | ErrorKind::InvalidChannelState(..) => {
            "the connection was lost".to_owned()
        }
        _ => error.to_string(),
    }
}

pub(super) fn broker(uri: &AMQPUri) -> String {
    let tls = if uri.scheme == AMQPScheme::AMQPS { " (TLS)" } else { "" };
    format!("{}:{}{tls}", uri.authority.host, uri.authority.port)
}

/// AMQP's reply codes: 403 access refused, 530 not allowed.
///
/// `refused` is what to check where the broker refuses the login.
pub(super) fn not_connected(uri: &AMQPUri, refused: &str, error: &lapin::Error) -> ConnectError {
    let (broker, user) = (broker(uri), uri.authority.userinfo.username.clone());
    let why = describe(error);
    match code(error) {
        Some(403) => ConnectError::Login { broker, user, why: refused.to_owned() },
        Some(530) => ConnectError::VirtualHost { broker, user, vhost: uri.vhost.clone(), why },
        _ => ConnectError::Reach { broker, why },
    }
}

/// AMQP's reply codes: 403 access refused, 406 precondition failed.
pub(super) fn not_declared(uri: &AMQPUri, prefix: &str, error: &lapin::Error) -> ConnectError {
    let (vhost, why) = (uri.vhost.clone(), describe(error));
    match code(error) {
        Some(403) => {
            let user = uri.authority.userinfo.username.clone();
            ConnectError::Privilege { user, prefix: prefix.to_owned(), vhost, why }
        }
        Some(406) => ConnectError::Differs { vhost, why },
        _ => ConnectError::Declare { vhost, why },
    }
}

fn code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}
