//! `cargo xtask bench`: the measurements of `docs/performance.md`.

use anyhow::Result;

use crate::services::TestServices;
use crate::step;

/// Measure planning, runs and steps per second, and memory; prints a table, then JSON
#[derive(clap::Args)]
pub struct Options {
    /// Skip the measurements that need PostgreSQL and RabbitMQ
    #[arg(long)]
    without_services: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let mut services = TestServices::start(options.without_services)?;
    // The benchmark starts the release binary, and is itself built with optimizations.
    step::run(&mut step::cargo(["build", "--release", "--package", "holdfast"]))?;
    let mut command = step::cargo(["bench", "--package", "holdfast-tests", "--bench", "fleet"]);
    services.export_to(&mut command)?;
    step::run(&mut command)
}
