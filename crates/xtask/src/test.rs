//! `cargo xtask test`: every test.

use std::cell::RefCell;

use anyhow::Result;

use crate::services::TestServices;
use crate::simulate::Seeds;
use crate::{step, terminal};

/// Run every test: doc tests, unit and integration tests, the seeded simulation
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    seeds: Seeds,
    /// Skip the tests that need PostgreSQL, RabbitMQ or Azurite (HOLDFAST_WITHOUT_SERVICES)
    #[arg(long)]
    without_services: bool,
    /// Arguments for `cargo nextest run`, such as `-p holdfast-model schedule`; skips the doc tests
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

pub fn run(options: &Options) -> Result<()> {
    // The servers start while cargo compiles, and stop when this function returns.
    let services = RefCell::new(TestServices::start(options.without_services)?);
    let tests = || workspace_tests(options, &mut services.borrow_mut());
    if options.runner.is_empty() {
        // Doc tests run first, so that the output ends with the runner's summary of all other tests.
        step::run_all([("doc tests", &doc_tests), ("tests", &tests)])
    } else {
        step::run_all([("tests", &tests)])
    }
}

fn doc_tests() -> Result<()> {
    step::run(&mut step::cargo(["test", "--workspace", "--doc", "--quiet"]))
}

fn workspace_tests(options: &Options, services: &mut TestServices) -> Result<()> {
    let mut command = if step::cargo_has("nextest") {
        step::cargo(["nextest", "run"])
    } else {
        terminal::line("cargo-nextest is not installed: using `cargo test`");
        // `--tests` leaves out the doc tests.
        step::cargo(["test", "--tests"])
    };
    if !names_a_package(&options.runner) {
        command.arg("--workspace");
    }
    command.args(&options.runner);
    options.seeds.export_to(&mut command);
    services.export_to(&mut command)?;
    step::run(&mut command)
}

/// `--workspace` would override `--package`.
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
    fn a_package_is_found_in_every_spelling() {
        assert!(names(&["-p", "holdfast-model"]));
        assert!(names(&["-pholdfast-model"]));
        assert!(names(&["--package", "holdfast-model"]));
        assert!(names(&["schedule", "--package=holdfast-model"]));
    }

    #[test]
    fn filters_and_profiles_are_not_packages() {
        assert!(!names(&["--profile", "ci", "a_run_ends"]));
        assert!(!names(&["--", "-p"]));
        assert!(!names(&[]));
    }
}
