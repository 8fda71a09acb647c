//! `cargo xtask bench`: the measurements of `docs/performance.md`.

use anyhow::{Context, Result};

use crate::services::TestServices;
use crate::services::python::PythonEnvironment;
use crate::step;

/// Measure throughput, planning and memory; prints tables, then JSON
///
/// PostgreSQL and RabbitMQ write to the disk before they confirm. Rounds of the compared forms alternate.
#[derive(clap::Args)]
pub struct Options {
    /// Skip the measurements that need PostgreSQL and RabbitMQ
    #[arg(long)]
    without_services: bool,
    /// Skip the comparison with a Celery worker, which Python's pip installs
    #[arg(long)]
    without_celery: bool,
    /// Runs of each round of throughput
    #[arg(long, default_value_t = 2_000)]
    runs: u32,
    /// Rounds of each form
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Worker processes of the distributed form
    #[arg(long, default_value_t = 2)]
    workers: u32,
    /// Runs that wait for Azure at the same time
    #[arg(long, default_value_t = 10_000)]
    in_flight: u32,
    /// Milliseconds that each answer of PostgreSQL takes longer
    #[arg(long, default_value_t = 0)]
    db_latency_ms: u32,
    /// Print the statements that PostgreSQL spent most time on
    #[arg(long)]
    statements: bool,
    /// Only these measurements: `planning`, `throughput`, `burst`, `apply`, `neighbour`, `startup`, `pages`, `sizes`, `flight`, `polls`
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

pub fn run(options: &Options) -> Result<()> {
    let mut services = TestServices::start(options.without_services)?;
    // The benchmark starts a binary with the optimizations that it has itself.
    step::run(&mut step::cargo(["build", "--profile", "bench", "--package", "holdfast"]))?;
    let mut command = step::cargo(["bench", "--package", "holdfast-tests", "--bench", "fleet", "--"]);
    let numbers = [
        ("--runs", options.runs),
        ("--rounds", options.rounds),
        ("--workers", options.workers),
        ("--in-flight", options.in_flight),
        ("--db-latency-ms", options.db_latency_ms),
    ];
    for (name, number) in numbers {
        command.args([name, &number.to_string()]);
    }
    if options.statements {
        command.args(["--statements", "yes"]);
    }
    if !options.only.is_empty() {
        command.args(["--only", &options.only.join(",")]);
    }
    if !options.without_services && !options.without_celery {
        command.env("HOLDFAST_BENCH_CELERY", celery()?.interpreter());
    }
    services.export_to(&mut command)?;
    step::run(&mut command)
}

/// The environment of `tests/peers/celery`.
fn celery() -> Result<PythonEnvironment> {
    let environment = PythonEnvironment::new("celery-peer-5.7.0");
    environment.install(&["-r", "tests/peers/celery/requirements.txt"]).context(
        "failed to install Celery with Python's pip; pass --without-celery to skip the comparison",
    )?;
    Ok(environment)
}
