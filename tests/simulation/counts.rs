//! Counts of what happened in a simulation.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use holdfast_model::{Cause, RunEvent, RunState};

use crate::simulated_world::SimulatedWorld;

/// Counts of what happened. Equal seeds give equal counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeedCounts {
    pub runs: u64,
    pub outcomes: BTreeMap<String, u64>,
    pub missed: u64,
    pub attempts: u64,
    pub retried: u64,
    pub adopted: u64,
    pub orphans: u64,
    pub accepted_posts: u64,
    pub lost_answers: u64,
    pub throttled: u64,
    /// What people did behind Holdfast's back, and what checks found, by name.
    pub truth: BTreeMap<String, u64>,
    /// SAS replaced, by reason.
    pub sas_refreshes: BTreeMap<String, u64>,
    /// How runs ended, by kind and outcome.
    pub ended: BTreeMap<String, u64>,
    /// Calls to Azure, by operation.
    pub calls: BTreeMap<String, u64>,
    /// Faults of those calls, by name.
    pub call_faults: BTreeMap<String, u64>,
    pub crashes: u64,
    pub stalls: u64,
    pub store_errors: u64,
    pub messages_lost: u64,
    pub messages_doubled: u64,
    pub messages_forged: u64,
    pub reads_refused: u64,
    pub failures_as_500: u64,
    pub commits_lost: u64,
}

impl SimulatedWorld {
    /// Counts the events of the store, the calls to Azure and the injected faults.
    pub(crate) async fn counts(&self) -> SeedCounts {
        let counters = self.azure.lock().unwrap().counters().clone();
        let mut counts = SeedCounts {
            accepted_posts: counters.accepted_posts,
            lost_answers: counters.lost_answers,
            calls: counters.calls.clone(),
            call_faults: counters.call_faults.clone(),
            throttled: counters.throttled_by_arm + counters.throttled_by_provider,
            crashes: self.fault_counts.crashes.load(Ordering::Relaxed),
            stalls: self.fault_counts.stalls.load(Ordering::Relaxed),
            store_errors: self.fault_counts.store_errors.load(Ordering::Relaxed),
            messages_lost: self.fault_counts.messages_lost.load(Ordering::Relaxed),
            messages_doubled: self.fault_counts.messages_doubled.load(Ordering::Relaxed),
            messages_forged: self.fault_counts.messages_forged.load(Ordering::Relaxed),
            reads_refused: self.fault_counts.reads_refused.load(Ordering::Relaxed),
            failures_as_500: self.fault_counts.failures_as_500.load(Ordering::Relaxed),
            commits_lost: self.lost_events.len() as u64,
            ..SeedCounts::default()
        };
        let people = &self.people;
        for (name, count) in [
            ("people: taken away", people.taken_away),
            ("people: container wiped", people.wiped),
            ("people: app recreated", people.recreated),
            ("people: subscription moved", people.moved),
            ("people: list shortened", people.short_lists),
        ] {
            *counts.truth.entry(name.to_owned()).or_default() += count;
        }
        for run in self.runs().await {
            if let RunState::Ended { outcome, .. } = run.state {
                let key = format!("{} {}", run.task.kind(), outcome.as_str());
                *counts.ended.entry(key).or_default() += 1;
            }
        }
        for event in self.events().await {
            if let Some(name) = truth_of(&event.event) {
                *counts.truth.entry(name.to_owned()).or_default() += 1;
            }
            match event.event {
                RunEvent::Planned { .. } => counts.runs += 1,
                RunEvent::Missed { .. } => counts.missed += 1,
                RunEvent::AttemptStarted { attempt, .. } => {
                    counts.attempts += 1;
                    counts.retried += u64::from(attempt.number > 1);
                }
                RunEvent::Adopted { .. } => counts.adopted += 1,
                RunEvent::OrphanFound { .. } => counts.orphans += 1,
                RunEvent::SasRefreshed { refresh } => {
                    *counts.sas_refreshes.entry(refresh.reason.as_str().to_owned()).or_default() += 1;
                }
                RunEvent::Ended { outcome, .. } => {
                    *counts.outcomes.entry(outcome.as_str().to_owned()).or_default() += 1;
                }
                _ => {}
            }
        }
        counts
    }
}

/// The name of an event that tells what a check or a proof found.
fn truth_of(event: &RunEvent) -> Option<&'static str> {
    match event {
        RunEvent::BackupsMissing { .. }
        | RunEvent::BackupLost { .. }
        | RunEvent::BackupFoundAgain { .. }
        | RunEvent::BackupVerified { .. }
        | RunEvent::LateBackupFound { .. } => Some(event.name()),
        RunEvent::StartRefused { cause: Cause::StandInMissing, .. } => Some("deletion without stand-in"),
        _ => None,
    }
}

impl SeedCounts {
    /// Adds the counts of another simulation.
    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, others) in [
            (&mut self.outcomes, &other.outcomes),
            (&mut self.ended, &other.ended),
            (&mut self.calls, &other.calls),
            (&mut self.call_faults, &other.call_faults),
            (&mut self.sas_refreshes, &other.sas_refreshes),
            (&mut self.truth, &other.truth),
        ] {
            for (key, count) in others {
                *mine.entry(key.clone()).or_default() += count;
            }
        }
        let fields: [(&mut u64, u64); 18] = [
            (&mut self.runs, other.runs),
            (&mut self.missed, other.missed),
            (&mut self.attempts, other.attempts),
            (&mut self.retried, other.retried),
            (&mut self.adopted, other.adopted),
            (&mut self.orphans, other.orphans),
            (&mut self.accepted_posts, other.accepted_posts),
            (&mut self.lost_answers, other.lost_answers),
            (&mut self.throttled, other.throttled),
            (&mut self.crashes, other.crashes),
            (&mut self.stalls, other.stalls),
            (&mut self.messages_lost, other.messages_lost),
            (&mut self.messages_doubled, other.messages_doubled),
            (&mut self.messages_forged, other.messages_forged),
            (&mut self.store_errors, other.store_errors),
            (&mut self.reads_refused, other.reads_refused),
            (&mut self.failures_as_500, other.failures_as_500),
            (&mut self.commits_lost, other.commits_lost),
        ];
        for (total, more) in fields {
            *total += more;
        }
    }
}
