//! The tokens that log in to the database and the broker in place of a password.

use std::sync::Arc;

use holdfast_arm::TokenPasswords;
use holdfast_config::{Cloud, Invalid, LoginCredential, LoginError, LoginServer, Secrets, TokenLogin};
use holdfast_control::{Error, ErrorKind};
use holdfast_identity::ScopeTokens;
use holdfast_model::{Clock, PasswordSource};
use holdfast_queue::BrokerWire;
use holdfast_store::DatabaseWire;
use holdfast_telemetry::remember_secret;

use crate::args::Global;

/// What builds the logins of the options. It reads the credential's secret, and sends nothing.
pub struct Logins<'a> {
    /// The options of all commands.
    pub global: &'a Global,
    /// The clock of the process.
    pub clock: &'a Arc<dyn Clock>,
}

type Passwords = Arc<dyn PasswordSource>;

impl Logins<'_> {
    /// The passwords for the database; `None` where its URL has the login.
    pub fn database(&self, wire: &DatabaseWire) -> anyhow::Result<Option<Passwords>> {
        let Some(credential) = &self.global.database_credential else { return Ok(None) };
        let server = LoginServer { host: wire.host.as_deref(), has_login: wire.has_password };
        self.passwords(credential, |sections| credential.for_database(server, sections)).map(Some)
    }

    /// The passwords for the broker, likewise.
    pub fn broker(&self, wire: &BrokerWire) -> anyhow::Result<Option<Passwords>> {
        let Some(credential) = &self.global.amqp_credential else { return Ok(None) };
        let has_login = wire.has_password || wire.has_certificate_login;
        let server = LoginServer { host: Some(&wire.host), has_login };
        let scope = self.global.amqp_scope.as_deref();
        self.passwords(credential, |sections| credential.for_broker(server, scope, sections)).map(Some)
    }

    fn passwords(
        &self,
        credential: &LoginCredential,
        login: impl FnOnce(&[Cloud]) -> Result<TokenLogin, LoginError>,
    ) -> anyhow::Result<Passwords> {
        let login = login(&self.sections(credential)?);
        let login = login.map_err(|error| Error::new(ErrorKind::Invalid, error.what).help(error.help))?;
        let tokens = ScopeTokens::of_login(login, remember_secret);
        tokens.check()?;
        let clock = Arc::clone(self.clock);
        Ok(Arc::new(TokenPasswords::new(Arc::new(tokens), clock, credential.to_string())))
    }

    /// The sections of the fleet file, where the credential is in one.
    fn sections(&self, credential: &LoginCredential) -> anyhow::Result<Vec<Cloud>> {
        if !credential.is_in_fleet_file() {
            return Ok(Vec::new());
        }
        let checked = holdfast_config::check(&self.global.fleet, Secrets::Leave, self.clock.now())?;
        Ok(checked.fleet.ok_or(Invalid(checked.problems))?.clouds)
    }
}

/// What a server receives as the login, in words.
pub fn login_words(credential: Option<&LoginCredential>, is_certificate: bool) -> String {
    match credential {
        Some(credential) => format!("a token of {credential}"),
        None if is_certificate => "its client certificate".to_owned(),
        None => "its password".to_owned(),
    }
}
