//! `holdfast login`, `logout` and `whoami`: the token for a server.

use std::io::{self, IsTerminal as _};

use holdfast_client::WhoAmI;
use holdfast_control::{Error, ErrorKind, until};
use holdfast_model::format_timestamp;
use secrecy::SecretString;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;

/// The longest token that is read.
const TOKEN_MAX: usize = 64 * 1024;

/// Runs `holdfast login`: reads a token, tries it, and keeps it.
pub async fn login(context: &Context) -> anyhow::Result<Exit> {
    let (address, file) = (context.required_address()?, context.login_file()?);
    if io::stdin().is_terminal() {
        context.out.message(&format!(
            "The token for {address}, which is not shown (`holdfast tokens create` makes one):"
        ));
    }
    let token = SecretString::from(read_token()?);
    let me = context.server_with(address.clone(), Some(token.clone()))?.whoami().await?;
    file.keep(&address, &token)?;
    let name = &me.principal.name;
    context
        .out
        .show(&json!({ "server": address.to_string(), "name": name, "kept_in": file.path() }), || {
            format!("logged in to {address} as {name}; the token is kept in {}", file.path().display()).into()
        })?;
    Ok(Exit::Done)
}

/// Runs `holdfast logout`: forgets the token. It stays in force until it expires or is revoked.
pub fn logout(context: &Context) -> anyhow::Result<Exit> {
    let (address, file) = (context.required_address()?, context.login_file()?);
    let was_there = file.forget(&address)?;
    context.out.show(&json!({ "server": address.to_string(), "forgotten": was_there }), || {
        let what = if was_there { "the token is removed from this machine" } else { "there was no token" };
        format!("{what}; `holdfast tokens revoke` ends a token everywhere").into()
    })?;
    Ok(Exit::Done)
}

/// Runs `holdfast whoami`.
pub async fn whoami(context: &Context) -> anyhow::Result<Exit> {
    let server = context.required_server()?;
    let me = server.whoami().await?;
    context.out.show(&me, || facts(&me, server.address().to_string(), context).into())?;
    Ok(Exit::Done)
}

fn facts(me: &WhoAmI, server: String, context: &Context) -> Table {
    let now = context.clock.now();
    let WhoAmI { principal, permissions, expires_at } = me;
    let expires = expires_at.map(|at| format!("{} ({})", format_timestamp(at), until(at, now)));
    Table::of_facts(
        "WHO",
        [
            ("name", Some(principal.name.clone())),
            ("login", Some(principal.login.as_str().to_owned())),
            ("role", Some(principal.role.to_string())),
            ("policies", Some(principal.scope.to_string())),
            ("permissions", Some(permissions.join(", "))),
            ("expires", expires),
            ("server", Some(server)),
        ],
    )
}

/// The token on stdin: a line, without echo where a person types it.
fn read_token() -> anyhow::Result<String> {
    let mut text = String::new();
    let _quiet = Quiet::begin();
    let read = io::Read::take(io::stdin().lock(), TOKEN_MAX as u64);
    io::BufRead::read_line(&mut io::BufReader::new(read), &mut text)?;
    let token = text.trim();
    if token.is_empty() {
        let error = Error::new(ErrorKind::Invalid, "no token was given on the standard input");
        return Err(error.help("`holdfast login --server URL < FILE` reads it from a file").into());
    }
    Ok(token.to_owned())
}

/// Keeps a terminal from showing what is typed, until it is dropped.
struct Quiet {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Quiet {
    #[cfg(unix)]
    fn begin() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin()).ok();
        if let Some(mut quiet) = before.clone() {
            quiet.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &quiet);
        }
        Self { before }
    }

    #[cfg(not(unix))]
    fn begin() -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Flush, before);
        }
    }
}
