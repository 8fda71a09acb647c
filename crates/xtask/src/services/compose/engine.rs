//! Finding an engine for containers that runs and can do what `deploy/compose/tests.yml` asks.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::step;

/// The first Compose that writes a config's content into the container.
const NEEDED: [u32; 3] = [2, 23, 1];

/// A program that speaks to an engine, and of which `compose` is a subcommand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Docker,
    Podman,
}

impl Engine {
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// The first engine that runs and has Compose, or what each of them lacks.
pub fn find() -> Result<Engine, String> {
    first(|engine, arguments| {
        step::output_of(Command::new(engine.program()).args(arguments).stdin(Stdio::null()))
    })
}

fn first(ask: impl Fn(Engine, &[&str]) -> Result<String>) -> Result<Engine, String> {
    let mut lacking = Vec::new();
    for engine in [Engine::Docker, Engine::Podman] {
        match lacks(|arguments| ask(engine, arguments)) {
            None => return Ok(engine),
            Some(what) => lacking.push(format!("{}: {what}", engine.program())),
        }
    }
    Err(lacking.join("; "))
}

fn lacks(ask: impl Fn(&[&str]) -> Result<String>) -> Option<String> {
    let version = match ask(&["compose", "version", "--short"]) {
        Ok(version) => version,
        Err(error) => return Some(format!("Compose does not answer: {error:#}")),
    };
    if numbers(&version).is_none_or(|found| found < NEEDED) {
        let needed = NEEDED.map(|number| number.to_string()).join(".");
        return Some(format!("Compose is `{}`, and {needed} or later is needed", version.trim()));
    }
    ask(&["info"]).err().map(|error| format!("no engine answers: {error:#}"))
}

/// `2.39.1`, also as `v2.39.1-desktop.1`.
fn numbers(version: &str) -> Option<[u32; 3]> {
    let plain = version.trim().trim_start_matches('v').split(['-', '+']).next()?;
    let parts: Vec<u32> = plain.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn docker_is_taken_where_it_runs() {
        assert_eq!(first(|_, _| Ok("2.39.1\n".to_owned())), Ok(Engine::Docker));
    }

    #[test]
    fn podman_is_taken_where_docker_is_a_client_alone() {
        let ask = |engine, arguments: &[&str]| match (engine, arguments) {
            (Engine::Docker, ["info"]) => bail!("is the daemon running?"),
            _ => Ok("v2.23.1-desktop.1".to_owned()),
        };
        assert_eq!(first(ask), Ok(Engine::Podman));
    }

    #[test]
    fn where_none_runs_it_is_said_of_each_what_it_lacks() {
        let ask = |engine, _: &[&str]| match engine {
            Engine::Docker => bail!("unknown command"),
            Engine::Podman => Ok("1.0.6".to_owned()),
        };
        let lacking = first(ask).unwrap_err();
        assert!(lacking.contains("docker: Compose does not answer: unknown command"), "{lacking}");
        assert!(lacking.contains("podman: Compose is `1.0.6`, and 2.23.1 or later is needed"), "{lacking}");
    }

    #[test]
    fn a_version_is_compared_by_its_numbers() {
        assert_eq!(numbers("v2.39.1+ds1\n"), Some([2, 39, 1]));
        assert!(numbers("2.9.0").unwrap() < NEEDED && numbers("5.0.0").unwrap() > NEEDED);
        assert_eq!(numbers("unknown"), None);
    }
}
