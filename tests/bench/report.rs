//! The results, as a table and as JSON.

use serde::Serialize;

/// All results.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub planning: Planning,
    pub outage: Outage,
    /// `None` without PostgreSQL.
    pub outage_on_postgres: Option<Outage>,
    pub embedded: Throughput,
    /// `None` without PostgreSQL and RabbitMQ.
    pub distributed: Option<Throughput>,
    pub in_flight: InFlight,
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
    pub runs: usize,
    pub rounds: usize,
    pub processes: usize,
    pub seconds: f64,
    pub runs_per_second: f64,
    pub steps_per_second: f64,
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
        let Planning { apps, seconds } = self.planning;
        println!("planned {apps} ticks of one minute in {seconds:.2} s\n");
        println!(
            "{:<12} {:>5} {:>8} {:>8} {:>9} {:>10}",
            "", "runs", "seconds", "runs/s", "steps/s", "peak MiB"
        );
        let line = |name: &str, t: &Throughput| {
            println!(
                "{name:<12} {:>5} {:>8.1} {:>8.1} {:>9.1} {:>10.1}",
                t.runs, t.seconds, t.runs_per_second, t.steps_per_second, t.peak_memory_mib
            );
        };
        line("embedded", &self.embedded);
        if let Some(distributed) = &self.distributed {
            line("distributed", distributed);
            println!(
                "distributed to embedded: {:.2}",
                distributed.runs_per_second / self.embedded.runs_per_second
            );
        }
        let InFlight { runs, memory_mib, cpu_percent } = self.in_flight;
        println!("\n{runs} runs in flight: {memory_mib:.1} MiB, {cpu_percent:.1} % of one core\n");
        println!("{}", serde_json::to_string_pretty(self).unwrap());
    }
}
