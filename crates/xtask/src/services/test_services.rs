//! The servers of one test run.

use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use super::environment;
use super::session::{self, Session};
use crate::terminal;

/// Where the servers of a test run come from.
pub enum TestServices {
    /// Started for this run; stopped on drop.
    Own(Session),
    /// Started by `cargo xtask up`.
    Up(Value),
    /// Named by the caller's environment.
    Given,
    /// The tests run without servers.
    Without,
}

impl TestServices {
    /// Finds running servers or starts new ones. New servers start in the background.
    pub fn start(without: bool) -> Result<Self> {
        if without || std::env::var_os(environment::WITHOUT).is_some() {
            terminal::line(
                "no PostgreSQL, RabbitMQ and Azurite: tests that need a server pass WITHOUT testing anything",
            );
            return Ok(Self::Without);
        }
        if std::env::var_os(environment::SERVE).is_some() {
            terminal::line("using the servers that the environment names");
            return Ok(Self::Given);
        }
        if let Some(facts) = session::facts_of_up() {
            terminal::line("using the servers of `cargo xtask up`");
            return Ok(Self::Up(facts));
        }
        Ok(Self::Own(Session::start()?))
    }

    /// Waits until the servers are ready, then adds their variables to the command's environment.
    pub fn export_to(&mut self, command: &mut Command) -> Result<()> {
        match self {
            Self::Own(session) => command.envs(environment::variables(&session.facts()?)?),
            Self::Up(facts) => command.envs(environment::variables(facts)?),
            Self::Given => command,
            Self::Without => command.env(environment::WITHOUT, "1"),
        };
        Ok(())
    }
}
