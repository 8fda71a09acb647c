//! The tokens that log in to the database and the broker in place of a password.

use std::sync::Arc;

use holdfast_arm::TokenPasswords;
use holdfast_config::{Cloud, Invalid, LoginCredential, LoginError, LoginServer, Secrets, TokenLogin};
use holdfast_control::{Error, ErrorKind};
use holdfast_model::PasswordSource;
use holdfast_queue::BrokerWire;
use holdfast_store::DatabaseWire;

use crate::context::Context;
use crate::runtime::scope_tokens::ScopeTokens;

/// The passwords for the database; `None` where its URL has the login. Reads the credential's secret, and sends nothing.
pub fn database_passwords(
    wire: &DatabaseWire,
    context: &Context,
) -> anyhow::Result<Option<Arc<dyn PasswordSource>>> {
    let Some(credential) = &context.global.database_credential else { return Ok(None) };
    let server = LoginServer { host: wire.host.as_deref(), has_login: wire.has_password };
    passwords(credential, credential.for_database(server, &sections(credential, context)?), context).map(Some)
}

/// The passwords for the broker, likewise.
pub fn broker_passwords(
    wire: &BrokerWire,
    context: &Context,
) -> anyhow::Result<Option<Arc<dyn PasswordSource>>> {
    let Some(credential) = &context.global.amqp_credential else { return Ok(None) };
    let has_login = wire.has_password || wire.has_certificate_login;
    let server = LoginServer { host: Some(&wire.host), has_login };
    let scope = context.global.amqp_scope.as_deref();
    passwords(credential, credential.for_broker(server, scope, &sections(credential, context)?), context)
        .map(Some)
}

/// What a server receives as the login, in words.
pub fn login_words(credential: Option<&LoginCredential>, is_certificate: bool) -> String {
    match credential {
        Some(credential) => format!("a token of {credential}"),
        None if is_certificate => "its client certificate".to_owned(),
        None => "its password".to_owned(),
    }
}

fn passwords(
    credential: &LoginCredential,
    login: Result<TokenLogin, LoginError>,
    context: &Context,
) -> anyhow::Result<Arc<dyn PasswordSource>> {
    let login = login.map_err(|error| Error::new(ErrorKind::Invalid, error.what).help(error.help))?;
    let tokens = ScopeTokens::of_login(login);
    tokens.check()?;
    let clock = Arc::clone(&context.clock);
    Ok(Arc::new(TokenPasswords::new(Arc::new(tokens), clock, credential.to_string())))
}

/// The sections of the fleet file, where the credential is in one.
fn sections(credential: &LoginCredential, context: &Context) -> anyhow::Result<Vec<Cloud>> {
    if !credential.is_in_fleet_file() {
        return Ok(Vec::new());
    }
    let checked = holdfast_config::check(&context.global.fleet, Secrets::Leave, context.clock.now())?;
    Ok(checked.fleet.ok_or(Invalid(checked.problems))?.clouds)
}
