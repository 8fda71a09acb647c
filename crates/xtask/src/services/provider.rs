//! Where the servers come from: the machine's own programs, or containers.

use anyhow::{Context, Result, anyhow, bail};

use super::compose::{self, Engine};
use super::{Kind, install};

/// Asks for containers also where the programs are there.
pub const COMPOSE: &str = "HOLDFAST_TEST_COMPOSE";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Programs of this machine, which are there or may be installed. The first choice: they come up faster.
    Native,
    Compose(Engine),
}

/// Chooses for these servers; whoever chooses again finds the same.
pub fn choose(kinds: &[Kind]) -> Result<Provider> {
    let asked = std::env::var(COMPOSE).is_ok_and(|said| said == "1");
    decide(asked, &install::missing_packages(kinds), install::allowed, compose::find)
}

fn decide(
    asked: bool,
    missing: &[&str],
    may_install: impl FnOnce() -> bool,
    engine: impl FnOnce() -> Result<Engine, String>,
) -> Result<Provider> {
    if asked {
        let engine = engine().map_err(|lacking| anyhow!(lacking));
        return engine
            .map(Provider::Compose)
            .with_context(|| format!("{COMPOSE}=1, and no engine can do it"));
    }
    if missing.is_empty() || may_install() {
        return Ok(Provider::Native);
    }
    match engine() {
        Ok(engine) => Ok(Provider::Compose(engine)),
        Err(lacking) => bail!(
            "{}; they cannot be installed from here (only root can, with apt-get), nor run by Compose ({lacking})",
            install::without_packages(missing)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: [&str; 2] = ["postgresql", "npm"];

    fn none() -> Result<Engine, String> {
        Err("docker: no engine answers".to_owned())
    }

    fn unasked() -> Result<Engine, String> {
        unreachable!("nobody needs an engine")
    }

    #[test]
    fn programs_that_are_there_or_may_be_installed_come_first() {
        assert_eq!(decide(false, &[], || unreachable!(), unasked).unwrap(), Provider::Native);
        assert_eq!(decide(false, &MISSING, || true, unasked).unwrap(), Provider::Native);
    }

    #[test]
    fn an_engine_takes_the_place_of_what_is_missing_and_may_not_be_installed() {
        let chosen = decide(false, &MISSING, || false, || Ok(Engine::Podman)).unwrap();
        assert_eq!(chosen, Provider::Compose(Engine::Podman));
    }

    #[test]
    fn an_engine_that_is_asked_for_is_taken() {
        let chosen = decide(true, &[], || unreachable!(), || Ok(Engine::Docker)).unwrap();
        assert_eq!(chosen, Provider::Compose(Engine::Docker));
    }

    #[test]
    fn where_nothing_serves_it_is_said_what_is_missing() {
        let error = format!("{:#}", decide(false, &MISSING, || false, none).unwrap_err());
        assert!(error.contains("not installed: postgresql, npm"), "{error}");
        assert!(error.contains("only root can") && error.contains("docker: no engine answers"), "{error}");
        let error = format!("{:#}", decide(true, &[], || true, none).unwrap_err());
        assert_eq!(error, "HOLDFAST_TEST_COMPOSE=1, and no engine can do it: docker: no engine answers");
    }
}
