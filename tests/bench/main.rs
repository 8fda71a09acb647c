//! The benchmark behind `docs/performance.md`: `cargo xtask bench`.
//!
//! It measures whole processes from outside: a simulated Azure that answers at once, a store filled with due runs, and
//! the wall time until the last run has ended. Embedded and distributed rounds alternate, so that other load on the
//! machine affects both. The results are medians, and the ratio of the medians.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::cast_precision_loss, reason = "figures of a benchmark are far from the limits of a float")]
#![expect(clippy::print_stdout, reason = "figures are what a benchmark has to say")]

mod apply;
mod bare_loop;
mod bench_world;
mod burst;
mod celery;
mod durable_servers;
mod flight;
mod http;
mod latency;
mod neighbour;
mod options;
mod pages;
mod planning;
mod plot;
mod polls;
mod report;
mod sizes;
mod startup;
mod tables;
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
    let mut report = Report::default();
    if options.wants("planning") {
        report.planning = Some(planning::measure().await);
        report.outage = Some(planning::measure_outage().await);
        report.outage_on_postgres = planning::measure_outage_on_postgres().await;
    }
    if options.wants("throughput") {
        report.throughput = throughput::measure(options).await;
    }
    if options.wants("burst") {
        report.bursts.push(burst::embedded().await);
        report.bursts.extend(burst::distributed().await);
    }
    if options.wants("apply") {
        report.applied = apply::measure(options).await;
    }
    if options.wants("neighbour") {
        report.neighbour = Some(neighbour::measure(options).await);
    }
    if options.wants("startup") {
        report.startup = Some(startup::measure().await);
    }
    if options.wants("pages") {
        report.pages.push(pages::on_sqlite().await);
        report.pages.extend(pages::on_postgres().await);
    }
    if options.wants("sizes") {
        report.sizes = sizes::measure().await;
    }
    if options.wants("flight") {
        report.in_flight = Some(flight::measure(options).await);
    }
    if options.wants("polls") {
        report.polling = polls::measure();
    }
    report
}
