//! The results, as a table and as JSON.

use serde::Serialize;

/// All results.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub planning: Option<Planning>,
    pub outage: Option<Outage>,
    /// `None` without PostgreSQL.
    pub outage_on_postgres: Option<Outage>,
    /// Those with servers are left out without PostgreSQL and RabbitMQ.
    pub throughput: Vec<Throughput>,
    pub in_flight: Option<InFlight>,
    pub polling: Vec<Polling>,
}

/// What a rule of polling costs on the same durations.
#[derive(Debug, Serialize)]
pub(crate) struct Polling {
    pub rule: String,
    /// Requests to ARM, with the one that starts the backup.
    pub calls_per_backup: f64,
    /// How long after the end the last poll comes, in percent of the duration.
    pub median_lag_percent: f64,
}

/// The time to plan ticks that are due in the same minute.
#[derive(Debug, Serialize)]
pub(crate) struct Planning {
    pub apps: usize,
    pub seconds: f64,
}

/// The time to record the ticks that an outage of a month left behind.
#[derive(Debug, Serialize)]
pub(crate) struct Outage {
    pub ticks: u64,
    pub seconds: f64,
    /// The peak memory while they were planned, beyond the memory before.
    pub more_memory_mib: f64,
}

/// The time to carry due runs to their ends. Medians over the rounds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Throughput {
    pub name: String,
    pub runs: usize,
    pub rounds: usize,
    pub processes: usize,
    /// The time of a statement that reads nothing; 0 for SQLite alone.
    pub round_trip_ms: f64,
    pub seconds: f64,
    pub runs_per_second: f64,
    pub steps_per_second: f64,
    /// Processor time of Holdfast's processes; 0 where they are not processes of their own.
    pub cpu_ms_per_run: f64,
    /// What PostgreSQL wrote to its log; 0 for SQLite.
    pub wal_kib_per_step: f64,
    /// The peak memory of the process that needed most.
    pub peak_memory_mib: f64,
    pub duplicate_posts: u64,
}

/// The cost of runs that wait for Azure.
#[derive(Debug, Serialize)]
pub(crate) struct InFlight {
    pub runs: usize,
    pub memory_mib: f64,
    /// Processor time in percent of one core, while each run is polled once a minute.
    pub cpu_percent: f64,
}

/// The median.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Outage {
    pub(crate) fn print(&self, store: &str) {
        let Self { ticks, seconds, more_memory_mib } = self;
        println!("{store}: recorded {ticks} missed ticks in {seconds:.1} s and {more_memory_mib:.0} MiB");
    }
}

impl Report {
    pub(crate) fn print(&self) {
        println!(
            "\n{:<26} {:>6} {:>8} {:>8} {:>8} {:>9} {:>11} {:>9}",
            "", "runs", "seconds", "runs/s", "steps/s", "ms CPU", "KiB WAL", "peak MiB"
        );
        println!(
            "{:<26} {:>6} {:>8} {:>8} {:>8} {:>9} {:>11} {:>9}",
            "", "", "", "", "", "per run", "per step", ""
        );
        for t in &self.throughput {
            println!(
                "{:<26} {:>6} {:>8.1} {:>8.0} {:>8.0} {:>9.2} {:>11.1} {:>9.0}",
                t.name,
                t.runs,
                t.seconds,
                t.runs_per_second,
                t.steps_per_second,
                t.cpu_ms_per_run,
                t.wal_kib_per_step,
                t.peak_memory_mib
            );
        }
        if let Some(ms) = self.throughput.iter().map(|t| t.round_trip_ms).find(|ms| *ms > 0.0) {
            println!("a round trip to PostgreSQL took {ms:.1} ms; fsync was on");
        }
        for Polling { rule, calls_per_backup, median_lag_percent } in &self.polling {
            println!(
                "{rule:<34} {calls_per_backup:>6.2} calls per backup, {median_lag_percent:>5.1} % median lag"
            );
        }
        println!("\n{}", serde_json::to_string_pretty(self).unwrap());
    }
}

impl InFlight {
    pub(crate) fn print(&self) {
        let Self { runs, memory_mib, cpu_percent } = self;
        println!("{runs} runs in flight: {memory_mib:.1} MiB, {cpu_percent:.1} % of one core");
    }
}

impl Planning {
    pub(crate) fn print(&self) {
        println!("planned {} ticks of one minute in {:.2} s", self.apps, self.seconds);
    }
}
