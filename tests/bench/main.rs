//! The benchmark behind `docs/performance.md`: `cargo xtask bench`.
//!
//! It measures whole processes from outside: a simulated Azure that answers at once, a store filled with due runs, and
//! the wall time until the last run has ended. Embedded and distributed rounds alternate, so that other load on the
//! machine affects both. The results are medians, and the ratio of the medians.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures are what a benchmark has to say")]

mod bench_world;
mod flight;
mod planning;
mod report;
mod throughput;

use report::Report;

fn main() {
    // Cargo also starts this target to list tests, and passes `--bench` only for a benchmark.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let planning = planning::measure().await;
        let outage = planning::measure_outage().await;
        outage.print("SQLite");
        let outage_on_postgres = planning::measure_outage_on_postgres().await;
        if let Some(outage) = &outage_on_postgres {
            outage.print("PostgreSQL");
        }
        let (embedded, distributed) = throughput::measure().await;
        let in_flight = flight::measure().await;
        Report { planning, outage, outage_on_postgres, embedded, distributed, in_flight }
    });
    report.print();
}
