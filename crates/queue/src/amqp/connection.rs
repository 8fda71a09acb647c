//! One connection to the broker with one channel.

use std::time::Duration;

use futures::StreamExt;
use lapin::types::ShortString;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use secrecy::ExposeSecret;

use super::broker_url::BrokerUrl;
use super::config::Config;
use super::connect_error::{ConnectError, broker, describe, not_connected, not_declared};
use super::declare;
use super::token_renewal::TokenLogin;
use crate::Topology;

/// An open connection. Dropping it closes it, and the broker requeues what was not acknowledged on it.
pub(super) struct BrokerConnection {
    pub connection: Connection,
    pub channel: Channel,
    login: Option<TokenLogin>,
}

impl BrokerConnection {
    /// Connects and declares the topology, within `config.connect_within` after there is a password.
    pub async fn open(config: &Config, name: &str) -> Result<Self, ConnectError> {
        let mut url = BrokerUrl::parse(&config.url)?;
        let login = login(config, &mut url.uri).await?;
        let opening = Self::open_at(&url, config, name);
        let Ok(opened) = tokio::time::timeout(config.connect_within, opening).await else {
            let why = format!("no answer within {} s", config.connect_within.as_secs());
            return Err(ConnectError::Reach { broker: broker(&url.uri), why });
        };
        let (connection, channel) = opened?;
        Ok(Self { connection, channel, login })
    }

    async fn open_at(
        url: &BrokerUrl,
        config: &Config,
        name: &str,
    ) -> Result<(Connection, Channel), ConnectError> {
        let uri = &url.uri;
        let failed = |error| not_connected(uri, &login_hint(url, config), &error);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let tls = url.tls()?;
        let runtime = lapin::runtime::default_runtime().map_err(failed)?;
        let connection = Connection::connect_uri_with_config(uri.clone(), properties, tls, runtime);
        let connection = connection.await.map_err(failed)?;
        let channel = connection.create_channel().await.map_err(failed)?;
        let declared = declare::topology(&channel, &Topology::new(&config.prefix)).await;
        declared.map_err(|error| not_declared(uri, &config.prefix, &error))?;
        Ok((connection, channel))
    }

    /// Waits until the connection is lost, and renews its token meanwhile. Returns the reason.
    pub async fn lost(&self) -> String {
        let mut events = std::pin::pin!(self.connection.events_listener());
        let mut renewal = std::pin::pin!(self.renew());
        // It may have been lost before the listener was added.
        while self.connection.status().connected() {
            let event = tokio::select! {
                event = events.next() => event,
                why = &mut renewal => return why,
            };
            match event {
                Some(Event::Error(error)) => return describe(&error),
                Some(Event::ConnectionBlocked(why)) => {
                    tracing::warn!(why, "the broker blocks publishers: it is short of memory or disk");
                }
                Some(Event::ConnectionUnblocked) => tracing::info!("the broker accepts messages again"),
                Some(_) => {}
                None => break,
            }
        }
        "the connection was closed".to_owned()
    }

    async fn renew(&self) -> String {
        match &self.login {
            Some(login) => login.keep(&self.connection).await,
            None => std::future::pending().await,
        }
    }

    /// Closes the connection in an orderly way, so that the broker logs no error.
    pub async fn close(self) {
        let goodbye = self.connection.close(200, ShortString::from("goodbye"));
        // A broker that does not answer detects the closed connection by itself.
        let _ = tokio::time::timeout(Duration::from_secs(2), goodbye).await;
    }
}

/// Puts the password that is valid now into the URL, where a source gives it.
async fn login(config: &Config, uri: &mut AMQPUri) -> Result<Option<TokenLogin>, ConnectError> {
    let Some(passwords) = config.passwords.clone() else { return Ok(None) };
    let password = passwords.password().await;
    let password = password.map_err(|why| ConnectError::Password { broker: broker(uri), why })?;
    password.secret.expose_secret().clone_into(&mut uri.authority.userinfo.password);
    Ok(Some(TokenLogin { passwords, valid_for: password.valid_for }))
}

/// What to check when the broker refuses the login.
fn login_hint(url: &BrokerUrl, config: &Config) -> String {
    if let Some(passwords) = &config.passwords {
        return format!(
            "it does not take the token of {}; see its log, and check that its `auth_oauth2.resource_server_id` is the \
             audience of the token, and that the token has scopes or roles for it",
            passwords.credential()
        );
    }
    let why = match (url.logs_in_by_certificate(), url.has_certificate()) {
        (true, _) => {
            "it has no user with the name in the client's certificate; see its log, and `ssl_cert_login_from` in its \
             configuration"
        }
        (false, true) => {
            "wrong name or password; to log in by the client's certificate, add auth_mechanism=external to the URL"
        }
        (false, false) => "wrong name or password",
    };
    why.to_owned()
}

/// The error for a channel operation that failed on an open connection.
pub(super) fn refused(config: &Config, error: &lapin::Error) -> ConnectError {
    match BrokerUrl::parse(&config.url) {
        Ok(url) => not_declared(&url.uri, &config.prefix, error),
        Err(error) => error,
    }
}
