//! The one door for developers: `cargo xtask test`, `lint`, `tidy`, `simulate`, `dist`.

mod dist;
mod lint;
mod say;
mod simulate;
mod step;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The one door for Holdfast's developers")]
enum Task {
    Test(test::Options),
    Lint(lint::Options),
    /// Check only what Holdfast itself asks of its files; a part of `lint`, done in a second
    Tidy,
    Simulate(simulate::Options),
    /// Build the release binary and lay it out in `target/dist` with licences and checksums
    Dist,
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Test(options) => test::run(&options),
        Task::Lint(options) => lint::run(&options),
        Task::Tidy => tidy::run(),
        Task::Simulate(options) => simulate::run(&options),
        Task::Dist => dist::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&error);
            ExitCode::FAILURE
        }
    }
}
