//! The developer commands: `cargo xtask test`, `lint`, `tidy`, `simulate`, `fuzz`, `bench`, `up`, `down`, `dist`,
//! `materials`.

mod bench;
mod dist;
mod fuzz;
mod lint;
mod materials;
mod services;
mod simulate;
mod step;
mod terminal;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Holdfast's developer commands")]
enum Task {
    Test(test::Options),
    Lint(lint::Options),
    /// Check only the repository's own rules for files; a part of `lint` that takes a second
    Tidy,
    Simulate(simulate::Options),
    Fuzz(fuzz::Options),
    Bench(bench::Options),
    /// Start PostgreSQL, RabbitMQ and Azurite, and print the variables that name them
    Up,
    /// Stop the servers of `up`
    Down,
    #[command(hide = true)]
    Serve(services::ServeOptions),
    /// Build the binary for a release and copy it to `target/distribution` with licences, bill of materials and checksums
    Dist,
    Materials(materials::Options),
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Test(options) => test::run(&options),
        Task::Lint(options) => lint::run(&options),
        Task::Tidy => tidy::run(),
        Task::Simulate(options) => simulate::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Up => services::up(),
        Task::Down => services::down(),
        Task::Serve(options) => services::serve(&options),
        Task::Dist => dist::run(),
        Task::Materials(options) => materials::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::error(&error);
            ExitCode::FAILURE
        }
    }
}
