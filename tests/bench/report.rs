//! The results, as a table and as JSON.

use serde::Serialize;

/// All results. What was not asked for, or needs servers that are not there, is empty.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub planning: Option<Planning>,
    pub outage: Option<Outage>,
    pub outage_on_postgres: Option<Outage>,
    pub throughput: Vec<Throughput>,
    pub in_flight: Option<InFlight>,
    pub bursts: Vec<Burst>,
    pub applied: Option<Applied>,
    pub neighbour: Option<Neighbour>,
    pub startup: Option<Startup>,
    pub pages: Vec<Pages>,
    pub sizes: Vec<SizeCost>,
    pub polling: Vec<Polling>,
}

/// The time from a tick of all apps until each step is published.
#[derive(Debug, Serialize)]
pub(crate) struct Burst {
    pub form: &'static str,
    pub apps: usize,
    pub planned_seconds: f64,
    pub dispatched_seconds: f64,
}

/// The time of a new revision of a fleet, and of a backup of all its apps.
#[derive(Debug, Serialize)]
pub(crate) struct Applied {
    pub apps: usize,
    /// `apply --dry-run`: what would change.
    pub diff_seconds: f64,
    /// `apply --yes`.
    pub apply_seconds: f64,
    /// From the end of `apply` until every process works by the revision.
    pub taken_up_seconds: f64,
    /// `backup --all`: until a run of each app is planned.
    pub backup_seconds: f64,
}

/// The pace of one subscription beside another whose budget is closed.
#[derive(Debug, Serialize)]
pub(crate) struct Neighbour {
    /// Due runs that wait for the closed budget.
    pub waiting: usize,
    pub alone_runs_per_second: f64,
    pub beside_runs_per_second: f64,
}

/// The time from the start of a process until it is of use.
#[derive(Debug, Serialize)]
pub(crate) struct Startup {
    pub version_ms: f64,
    /// `run` with an empty folder, until `/readyz` answers 200.
    pub ready_ms: f64,
}

/// What a fleet of a size costs.
#[derive(Debug, Serialize)]
pub(crate) struct SizeCost {
    pub apps: usize,
    /// A pass of the planner and the dispatcher in which nothing is due.
    pub idle_pass_ms: f64,
    /// A pass that plans and publishes a run of each app.
    pub tick_ms: f64,
    pub status_ms: f64,
}

/// The times of the console's pages over one database.
#[derive(Debug, Serialize)]
pub(crate) struct Pages {
    pub database: &'static str,
    pub apps: usize,
    pub runs: u64,
    pub events: u64,
    pub times: Vec<PageTimes>,
}

/// The time of a page, with the time to send it over the loopback.
#[derive(Debug, Serialize)]
pub(crate) struct PageTimes {
    pub path: String,
    pub p95_ms: f64,
    pub bytes: usize,
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
