//! `cargo xtask test`: every test there is.

use std::cell::RefCell;

use anyhow::Result;

use crate::services::ForTests;
use crate::{say, simulate, step};

/// Run every test: doc tests, unit and integration tests, the seeded simulation
#[derive(clap::Args)]
pub struct Options {
    /// How many seeds the simulation runs (HOLDFAST_SEEDS; 200 when neither is given)
    #[arg(long)]
    seeds: Option<u32>,
    /// Leave out the tests that need PostgreSQL, RabbitMQ or Azurite (HOLDFAST_WITHOUT_SERVICES)
    #[arg(long)]
    without_services: bool,
    /// Handed to `cargo nextest run`, for example `-p holdfast-model schedule`; doc tests are then left out
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

pub fn run(options: &Options) -> Result<()> {
    // The servers come up while cargo compiles, and go down when this function returns.
    let services = RefCell::new(ForTests::begin(options.without_services)?);
    let tests = || workspace_tests(options, &mut services.borrow_mut());
    if options.runner.is_empty() {
        // Doc tests go first: the last lines a reader sees are then the runner's summary of everything else.
        step::run_all([("doc tests", &doc_tests), ("tests", &tests)])
    } else {
        step::run_all([("tests", &tests)])
    }
}

fn doc_tests() -> Result<()> {
    step::run(&mut step::cargo(["test", "--workspace", "--doc", "--quiet"]))
}

fn workspace_tests(options: &Options, services: &mut ForTests) -> Result<()> {
    let mut command = if step::cargo_has("nextest") {
        step::cargo(["nextest", "run"])
    } else {
        say::line("cargo-nextest is not installed: `cargo test` runs the tests instead");
        // `--tests` leaves the doc tests to their own step.
        step::cargo(["test", "--tests"])
    };
    if !names_a_package(&options.runner) {
        command.arg("--workspace");
    }
    command.args(&options.runner);
    services.name_in(&mut command)?;
    step::run(simulate::with_seeds(&mut command, options.seeds))
}

/// `--workspace` beside `--package` would win over it.
fn names_a_package(arguments: &[String]) -> bool {
    let own = arguments.iter().take_while(|argument| *argument != "--");
    own.into_iter().any(|argument| {
        let short = argument.starts_with("-p") && !argument.starts_with("--");
        short || argument == "--package" || argument.starts_with("--package=")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> bool {
        names_a_package(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_named_package_is_seen_in_every_spelling() {
        assert!(names(&["-p", "holdfast-model"]));
        assert!(names(&["-pholdfast-model"]));
        assert!(names(&["--package", "holdfast-model"]));
        assert!(names(&["schedule", "--package=holdfast-model"]));
    }

    #[test]
    fn filters_and_profiles_are_no_packages() {
        assert!(!names(&["--profile", "ci", "a_run_ends"]));
        assert!(!names(&["--", "-p"]));
        assert!(!names(&[]));
    }
}
