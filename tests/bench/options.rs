//! What to measure, from the command line.

use std::time::Duration;

/// The options of the benchmark.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Runs of each round of throughput.
    pub runs: usize,
    /// Rounds of each form; the figures are medians.
    pub rounds: usize,
    /// Worker processes of the distributed form.
    pub workers: usize,
    /// Round trip to PostgreSQL that is added to the machine's own; zero for none.
    pub db_latency: Duration,
    /// Runs that wait for Azure at the same time.
    pub in_flight: usize,
    /// Whether to print what PostgreSQL spent its time on.
    pub wants_statements: bool,
    /// Which measurements; empty for all.
    only: Vec<String>,
}

/// What `--only` selects from.
const MEASUREMENTS: [&str; 10] =
    ["planning", "throughput", "burst", "apply", "neighbour", "startup", "pages", "sizes", "flight", "polls"];

impl Options {
    /// Reads `--runs 2000 --rounds 3 --workers 2 --db-latency-ms 2 --only throughput`; cargo adds `--bench`.
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Self {
        let mut this = Self {
            runs: 2_000,
            rounds: 3,
            workers: 2,
            db_latency: Duration::ZERO,
            in_flight: 10_000,
            wants_statements: false,
            only: Vec::new(),
        };
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
            let number = || value.parse().unwrap_or_else(|_| panic!("{name}: `{value}` is not a number"));
            match name.as_str() {
                "--runs" => this.runs = number(),
                "--rounds" => this.rounds = number(),
                "--workers" => this.workers = number(),
                "--db-latency-ms" => this.db_latency = Duration::from_millis(number() as u64),
                "--in-flight" => this.in_flight = number(),
                "--statements" => this.wants_statements = value == "yes",
                "--only" => this.only = value.split(',').map(measurement).collect(),
                _ => panic!("unknown option {name}"),
            }
        }
        this
    }

    /// Whether to take this measurement.
    pub(crate) fn wants(&self, measurement: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == measurement)
    }
}

/// A name of a measurement. A misspelt one would measure nothing.
fn measurement(name: &str) -> String {
    assert!(MEASUREMENTS.contains(&name), "--only: `{name}` is none of {MEASUREMENTS:?}");
    name.to_owned()
}
