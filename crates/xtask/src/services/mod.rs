//! Private servers for the tests and for a developer: PostgreSQL, RabbitMQ and Azurite on ports and in folders of
//! their own, or, where the machine has an engine for containers and not the programs, in containers.
//!
//! The servers are children of a guard, `xtask serve`, which takes them down when its stdin ends. So they end with
//! whoever asked for them, however that one ends.

mod azurite;
mod compose;
mod family;
mod guard;
mod install;
mod ports;
mod postgres;
mod provider;
mod rabbitmq;
mod secret;
mod server;
mod session;

use std::process::Command;

use anyhow::Result;
use serde_json::Value;

pub use guard::{Options as ServeOptions, run as serve};
pub use session::{down, up};

use crate::say;
use session::Session;

/// Says that tests which need a server may pass without it.
const WITHOUT: &str = "HOLDFAST_WITHOUT_SERVICES";

/// One kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    Postgres,
    Rabbitmq,
    Azurite,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Postgres, Self::Rabbitmq, Self::Azurite];

    /// As it stands in the facts, in folders and in the guard's commands.
    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Rabbitmq => "rabbitmq",
            Self::Azurite => "azurite",
        }
    }
}

/// Servers for one run of the tests.
pub enum ForTests {
    /// Ours: gone when dropped.
    Own(Session),
    /// Those of `cargo xtask up`.
    Up(Value),
    /// The caller's environment names some.
    Given,
    /// The tests do without.
    Without,
}

impl ForTests {
    /// Finds servers or begins to start some; they come up while the caller goes on.
    pub fn begin(without: bool) -> Result<Self> {
        if without || std::env::var_os(WITHOUT).is_some() {
            say::line("without PostgreSQL, RabbitMQ and Azurite: what needs them is NOT tested");
            return Ok(Self::Without);
        }
        if std::env::var_os("HOLDFAST_TEST_SERVE").is_some() {
            say::line("the environment names the servers to use");
            return Ok(Self::Given);
        }
        if let Some(facts) = session::facts_of_up() {
            say::line("the servers of `cargo xtask up` are used");
            return Ok(Self::Up(facts));
        }
        Ok(Self::Own(Session::begin()?))
    }

    /// Waits until they serve, and tells the command where they are.
    pub fn name_in(&mut self, command: &mut Command) -> Result<()> {
        match self {
            Self::Own(session) => command.envs(exports(&session.facts()?)?),
            Self::Up(facts) => command.envs(exports(facts)?),
            Self::Given => command,
            Self::Without => command.env(WITHOUT, "1"),
        };
        Ok(())
    }
}

/// What a test finds in its environment. HOLDFAST_TEST_SERVE is the program that gives a test a server of its own.
fn exports(facts: &Value) -> Result<Vec<(&'static str, String)>> {
    let fact = |kind: &str, name: &str| facts[kind][name].as_str().unwrap_or_default().to_owned();
    let mut exports = vec![
        ("HOLDFAST_TEST_DATABASE_URL", fact("postgres", "url")),
        ("HOLDFAST_TEST_AMQP_URL", fact("rabbitmq", "url")),
        ("HOLDFAST_TEST_AMQP_ADMIN", fact("rabbitmq", "admin")),
        ("HOLDFAST_TEST_AZURITE_URL", fact("azurite", "url")),
        ("HOLDFAST_TEST_SERVE", std::env::current_exe()?.display().to_string()),
    ];
    // A test's own servers come from where the shared ones do.
    if facts["postgres"]["compose"].is_string() {
        exports.push((provider::COMPOSE, "1".to_owned()));
    }
    Ok(exports)
}
