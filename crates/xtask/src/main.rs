//! The one door for developers: `cargo xtask test`, `lint`, `tidy`, `simulate`, `bench`, `up`, `down`, `dist`.

mod bench;
mod dist;
mod lint;
mod say;
mod services;
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
    Bench(bench::Options),
    /// Start PostgreSQL, RabbitMQ and Azurite for a developer, and print where they are
    Up,
    /// End the servers of `up`
    Down,
    #[command(hide = true)]
    Serve(services::ServeOptions),
    /// Build the release binary and lay it out in `target/dist` with licences and checksums
    Dist,
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Test(options) => test::run(&options),
        Task::Lint(options) => lint::run(&options),
        Task::Tidy => tidy::run(),
        Task::Simulate(options) => simulate::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Up => services::up(),
        Task::Down => services::down(),
        Task::Serve(options) => services::serve(&options),
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
