//! The summary of a demonstration, counted from the audit and the simulated Azure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use holdfast_control::counted;
use holdfast_model::{Cause, RunEvent, RunKind, RunState};
use holdfast_simulator::{CallCounter, Counters};
use holdfast_store::{RunFilter, Store};
use serde::Serialize;

use crate::args::DemoArgs;

/// The counts of a demonstration.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Apps of the fleet.
    apps: u32,
    /// Runs planned.
    runs: u64,
    /// Ended runs by outcome.
    outcomes: BTreeMap<&'static str, u64>,
    /// Attempts.
    attempts: u64,
    /// Failed attempts by cause.
    failures: BTreeMap<&'static str, Failures>,
    /// Runs that have not ended.
    unfinished: u64,
    /// Accepted POSTs beyond one per attempt, as the simulated Azure counted them.
    duplicate_posts: u64,
    /// Backups adopted after the answer to their POST was lost.
    adopted: u64,
    /// Calls to ARM.
    arm_calls: u64,
    /// Calls answered with 429.
    throttled: u64,
    /// SAS refreshes.
    sas_refreshes: u64,
    /// Events of the audit.
    audit_events: u64,
    /// The seed of the fleet and of the faults.
    seed: u64,
    /// Whether the simulated Azure injected faults.
    hostile: bool,
    /// Time from the start of the engine to the last outcome.
    seconds: f64,
}

/// Failed attempts of one cause.
#[derive(Debug, Default, Serialize)]
struct Failures {
    /// All of them.
    attempts: u64,
    /// Those that were followed by another attempt.
    retried: u64,
}

impl Summary {
    /// Reads the audit and counts.
    pub async fn gather(
        store: &dyn Store,
        counters: &Counters,
        calls: &CallCounter,
        args: &DemoArgs,
        seconds: f64,
    ) -> anyhow::Result<Self> {
        let mut summary = Self {
            apps: args.apps,
            runs: 0,
            outcomes: BTreeMap::new(),
            attempts: 0,
            failures: BTreeMap::new(),
            unfinished: 0,
            duplicate_posts: counters.duplicate_posts,
            adopted: 0,
            arm_calls: calls.calls(),
            throttled: calls.throttled(),
            sas_refreshes: 0,
            audit_events: 0,
            seed: args.seed,
            hostile: args.hostile,
            seconds: (seconds * 10.0).round() / 10.0,
        };
        for run in store.runs(&RunFilter { kind: Some(RunKind::Backup), ..RunFilter::default() }).await? {
            summary.runs += 1;
            match run.state {
                RunState::Ended { outcome, .. } => {
                    *summary.outcomes.entry(outcome.as_str()).or_default() += 1;
                }
                _ => summary.unfinished += 1,
            }
        }
        summary.count_events(store).await?;
        Ok(summary)
    }

    async fn count_events(&mut self, store: &dyn Store) -> anyhow::Result<()> {
        let mut after = 0;
        loop {
            let page = store.audit(after, 1_000).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.link.seq;
            for event in &page {
                self.count(&event.event);
            }
        }
    }

    fn count(&mut self, event: &RunEvent) {
        self.audit_events += 1;
        match event {
            RunEvent::AttemptStarted { .. } => self.attempts += 1,
            RunEvent::Adopted { .. } => self.adopted += 1,
            RunEvent::SasRefreshed { .. } => self.sas_refreshes += 1,
            RunEvent::AttemptEnded { cause, retry_at, .. } => self.count_failure(*cause, retry_at.is_some()),
            _ => {}
        }
    }

    fn count_failure(&mut self, cause: Cause, is_retried: bool) {
        let failures = self.failures.entry(cause.as_str()).or_default();
        failures.attempts += 1;
        failures.retried += u64::from(is_retried);
    }

    /// Whether every run ended, without a duplicate POST.
    pub fn is_good(&self) -> bool {
        self.unfinished == 0 && self.duplicate_posts == 0 && self.runs == u64::from(self.apps)
    }

    /// The summary and example queries, as text.
    pub fn for_people(&self, store: &Path) -> String {
        let mut text = format!(
            "{} backed up in {:.1} s: {}, {} to Azure, {} of them throttled\n",
            counted(self.apps, "app"),
            self.seconds,
            counted(self.attempts, "attempt"),
            counted(self.arm_calls, "call"),
            self.throttled
        );
        let outcomes: Vec<_> =
            self.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let _ = writeln!(text, "outcomes: {}", outcomes.join(", "));
        for (cause, failures) in &self.failures {
            let attempts = counted(failures.attempts, "attempt");
            let _ = writeln!(text, "  {cause}: {attempts}, {} retried", failures.retried);
        }
        let _ = writeln!(text, "lost answers whose backups were found and adopted: {}", self.adopted);
        let _ = writeln!(
            text,
            "POSTs beyond one per attempt: {}; runs not ended: {}",
            self.duplicate_posts, self.unfinished
        );
        let _ =
            writeln!(text, "\nThe audit has {} events in {}. Ask it:\n", self.audit_events, store.display());
        for (question, query) in QUERIES {
            let _ = writeln!(text, "  # {question}\n  sqlite3 -box {} \"{query}\"\n", store.display());
        }
        text
    }
}

/// Example queries of the audit.
pub const QUERIES: [(&str, &str); 3] = [
    ("how did the runs end?", "SELECT * FROM run_outcomes"),
    ("why did attempts fail?", "SELECT * FROM attempts_by_cause"),
    ("what is the latest good backup of each app?", "SELECT * FROM latest_good_backup LIMIT 10"),
];
