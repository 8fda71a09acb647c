//! Prints results as tables.

use crate::report::{
    Applied, Burst, InFlight, Neighbour, Outage, PageTimes, Pages, Planning, Polling, Report, SizeCost,
    Startup,
};

impl Report {
    /// Prints tables, then JSON.
    pub(crate) fn print(&self) {
        if !self.throughput.is_empty() {
            self.print_throughput();
        }
        if let Some(measured) = &self.planning {
            measured.print();
        }
        for (store, outage) in [("SQLite", &self.outage), ("PostgreSQL", &self.outage_on_postgres)] {
            if let Some(measured) = outage {
                measured.print(store);
            }
        }
        self.bursts.iter().for_each(Burst::print);
        if let Some(measured) = &self.applied {
            measured.print();
        }
        if let Some(measured) = &self.neighbour {
            measured.print();
        }
        if let Some(measured) = &self.startup {
            measured.print();
        }
        self.pages.iter().for_each(Pages::print);
        self.sizes.iter().for_each(SizeCost::print);
        if let Some(measured) = &self.in_flight {
            measured.print();
        }
        for Polling { rule, calls_per_backup, median_lag_percent } in &self.polling {
            println!(
                "{rule:<34} {calls_per_backup:>6.2} calls per backup, {median_lag_percent:>5.1} % median lag"
            );
        }
        println!("\n{}", serde_json::to_string_pretty(self).unwrap());
    }

    fn print_throughput(&self) {
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
    }
}

impl Outage {
    fn print(&self, store: &str) {
        let Self { ticks, seconds, more_memory_mib } = self;
        println!("{store}: recorded {ticks} missed ticks in {seconds:.1} s and {more_memory_mib:.0} MiB");
    }
}

impl InFlight {
    fn print(&self) {
        let Self { runs, memory_mib, cpu_percent } = self;
        println!("{runs} runs in flight: {memory_mib:.1} MiB, {cpu_percent:.1} % of one core");
    }
}

impl Burst {
    fn print(&self) {
        let Self { form, apps, planned_seconds, dispatched_seconds } = self;
        println!(
            "{form}: planned {apps} runs in {planned_seconds:.1} s, published them in {dispatched_seconds:.1} s"
        );
    }
}

impl SizeCost {
    fn print(&self) {
        let Self { apps, idle_pass_ms, tick_ms, status_ms } = self;
        println!(
            "{apps} apps: {idle_pass_ms:.2} ms an idle pass, {tick_ms:.0} ms a tick, {status_ms:.1} ms the status"
        );
    }
}

impl Applied {
    fn print(&self) {
        let Self { apps, diff_seconds, apply_seconds, taken_up_seconds, backup_seconds } = self;
        println!(
            "{apps} apps: {diff_seconds:.1} s what a revision changes, {apply_seconds:.1} s to make it, {taken_up_seconds:.1} s \
             until every process has taken it up, {backup_seconds:.1} s to plan a backup of all"
        );
    }
}

impl Neighbour {
    fn print(&self) {
        let Self { waiting, alone_runs_per_second: alone, beside_runs_per_second: beside } = self;
        println!(
            "{beside:.0} runs/s beside {waiting} runs that wait for a closed budget, {alone:.0} runs/s alone"
        );
    }
}

impl Startup {
    fn print(&self) {
        println!("--version: {:.1} ms; ready: {:.0} ms", self.version_ms, self.ready_ms);
    }
}

impl Pages {
    fn print(&self) {
        let Self { database, apps, runs, events, times } = self;
        println!("{database}: {apps} apps, {runs} runs, {events} events");
        for PageTimes { path, p95_ms, bytes } in times {
            println!("{p95_ms:>8.1} ms p95 {bytes:>8} bytes  {path}");
        }
    }
}

impl Planning {
    fn print(&self) {
        println!("planned {} ticks of one minute in {:.2} s", self.apps, self.seconds);
    }
}
