//! The benchmark behind `docs/performance.md`: `cargo xtask bench`.
//!
//! It measures whole processes from outside: a simulated Azure that answers at once, a store filled with due runs, and
//! the wall time until the last run has ended. Embedded and distributed rounds alternate, so that other load on the
//! machine affects both. The results are medians, and the ratio of the medians.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::cast_precision_loss, reason = "figures of a benchmark are far from the limits of a float")]
#![expect(clippy::print_stdout, reason = "figures are what a benchmark has to say")]

mod bare_loop;
mod bench_world;
mod celery;
mod durable_servers;
mod flight;
mod latency;
mod options;
mod planning;
mod polls;
mod report;
mod throughput;

use options::Options;
use report::Report;

fn main() {
    // Cargo also starts this target to list tests, and passes `--bench` only for a benchmark.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let options = Options::from_arguments(std::env::args().skip(1));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&options)).print();
}

async fn measure(options: &Options) -> Report {
    let (mut planning, mut outage, mut outage_on_postgres) = (None, None, None);
    if options.wants("planning") {
        let measured = planning::measure().await;
        measured.print();
        planning = Some(measured);
        let measured = planning::measure_outage().await;
        measured.print("SQLite");
        outage = Some(measured);
        outage_on_postgres = planning::measure_outage_on_postgres().await;
        if let Some(measured) = &outage_on_postgres {
            measured.print("PostgreSQL");
        }
    }
    let throughput =
        if options.wants("throughput") { throughput::measure(options).await } else { Vec::new() };
    let in_flight = if options.wants("flight") { Some(flight::measure().await) } else { None };
    if let Some(in_flight) = &in_flight {
        in_flight.print();
    }
    let polling = if options.wants("polls") { polls::measure() } else { Vec::new() };
    Report { planning, outage, outage_on_postgres, throughput, in_flight, polling }
}
