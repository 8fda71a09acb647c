//! The figures of `docs/performance.md`: `cargo xtask bench`.
//!
//! Whole processes are measured from outside: a simulated Azure that answers at once, a store filled with due runs,
//! and the wall time until the last of them has ended. Embedded and distributed runs take turns in one go, so that a
//! busy machine is busy for both; what is told are medians, and the ratio of the medians.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures are what a benchmark has to say")]

mod bench_world;
mod flight;
mod planning;
mod report;
mod throughput;

use report::Report;

fn main() {
    // Cargo asks every target of the workspace for its tests, and hands over `--bench` when they are to be benchmarks.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let planning = planning::measure().await;
        let (embedded, distributed) = throughput::measure().await;
        let in_flight = flight::measure().await;
        Report { planning, embedded, distributed, in_flight }
    });
    report.print();
}
