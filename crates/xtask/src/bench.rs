//! `cargo xtask bench`: the figures of `docs/performance.md`.

use anyhow::Result;

use crate::services::ForTests;
use crate::step;

/// Measure: planning, runs and steps per second, memory; a table, and JSON at the end
#[derive(clap::Args)]
pub struct Options {
    /// Leave out what needs PostgreSQL and RabbitMQ
    #[arg(long)]
    without_services: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let mut services = ForTests::begin(options.without_services)?;
    // The processes that are measured are the release binary, and the benchmark is built like it.
    step::run(&mut step::cargo(["build", "--release", "--package", "holdfast"]))?;
    let mut command = step::cargo(["bench", "--package", "holdfast-tests", "--bench", "fleet"]);
    services.name_in(&mut command)?;
    step::run(&mut command)
}
