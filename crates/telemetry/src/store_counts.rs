//! What the events of a watched store count.

use holdfast_model::{Run, RunEvent, Timestamp};
use opentelemetry::KeyValue;

use crate::store::WatchedStore;
use crate::whole_run::{self, seconds_between};

impl WatchedStore {
    /// Counts audit events that were written.
    pub(crate) fn wrote(&self, event: &'static str, count: u64) {
        self.instruments.audit_events.add(count, &[KeyValue::new("event", event)]);
    }

    /// Counts what an event of a run says, and ends the run's trace with it.
    pub(crate) fn happened(&self, run: &Run, event: &RunEvent, at: Timestamp) {
        let by_cause = |cause: &holdfast_model::Cause| [KeyValue::new("cause", cause.as_str())];
        let instruments = &self.instruments;
        match event {
            RunEvent::AttemptStarted { attempt, .. } => {
                instruments.attempts_started.add(1, &[]);
                let expiry = attempt.sas_expiry.and_then(|expiry| u64::try_from(expiry.timestamp()).ok());
                if let Some(expiry) = expiry {
                    let storage = KeyValue::new("storage", run.policy_snapshot.storage.as_str().to_owned());
                    instruments.sas_expiry.record(expiry, &[storage]);
                }
            }
            RunEvent::Accepted { accepted_at, .. } => self.accepted(run, 1, *accepted_at),
            RunEvent::Adopted { attempt, accepted_at, .. } => {
                self.accepted(run, attempt.number, *accepted_at);
            }
            RunEvent::AttemptEnded { cause, .. } | RunEvent::StartRefused { cause, .. } => {
                instruments.attempts_failed.add(1, &by_cause(cause));
            }
            RunEvent::Deferred { cause, .. } => instruments.deferrals.add(1, &by_cause(cause)),
            RunEvent::SasRefreshed { refresh } => {
                let reason = KeyValue::new("reason", refresh.reason.as_str());
                let storage = KeyValue::new("storage", refresh.storage.as_str().to_owned());
                instruments.sas_refreshes.add(1, &[reason, storage]);
            }
            RunEvent::Ended { outcome, cause, .. } => {
                let outcome_is = KeyValue::new("outcome", outcome.as_str());
                let policy = run.policy.as_ref().map_or("none", holdfast_model::PolicyName::as_str);
                let policy = KeyValue::new("policy", policy.to_owned());
                let kind = KeyValue::new("kind", whole_run::kind(run));
                let took = seconds_between(run.created_at, at);
                instruments.runs_ended.add(1, &[outcome_is.clone(), policy, kind]);
                instruments.run_duration.record(took, &[outcome_is]);
                if let Some(tracer) = &self.tracer {
                    whole_run::write(tracer, run, (*outcome, *cause), at);
                }
            }
            _ => {}
        }
    }

    /// The lag of a first attempt, as the view `time_to_start` has it.
    fn accepted(&self, run: &Run, attempt: u32, accepted_at: Timestamp) {
        let current = run.state.attempt().map_or(attempt, |attempt| attempt.number);
        if attempt == 1 && current == 1 {
            let due_at = run.tick.unwrap_or(run.created_at);
            self.instruments.start_lag.record(seconds_between(due_at, accepted_at), &[]);
        }
    }
}
