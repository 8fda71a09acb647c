//! Everything that is measured along the way, each by its name.
//!
//! Names follow OpenTelemetry's semantic conventions where there are any (`http.client.*`, `messaging.*`). Attributes
//! hold ids and words of the glossary, and never a URL, a text from Azure or anything a user typed.

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};

/// Seconds of a call or a step: the boundaries that the conventions recommend.
const SHORT_S: [f64; 15] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0];
/// Bucket bounds in seconds for long durations: the wait for a start, a whole run.
const LONG_S: [f64; 12] =
    [1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0];

/// The instruments that the process updates. `app_metrics` has those that a scrape reads.
#[derive(Debug)]
pub struct Instruments {
    /// Runs that ended, by `outcome`, `policy` and `kind`.
    pub runs_ended: Counter<u64>,
    /// Seconds from a run's creation to its end, by `outcome`.
    pub run_duration: Histogram<f64>,
    /// From a run's tick to Azure's acceptance of its first attempt.
    pub start_lag: Histogram<f64>,
    /// Attempts begun.
    pub attempts_started: Counter<u64>,
    /// Attempts that failed, and starts refused, by `cause`.
    pub attempts_failed: Counter<u64>,
    /// Runs deferred without a failure, by `cause`.
    pub deferrals: Counter<u64>,
    /// SAS replaced, by `reason` and `storage`.
    pub sas_refreshes: Counter<u64>,
    /// Expiry of the SAS that the latest attempt sent, in seconds since 1970, by `storage`.
    pub sas_expiry: Gauge<u64>,
    /// Audit events written, by `event`.
    pub audit_events: Counter<u64>,
    /// Ticks considered, by `result`: `run`, `missed`, `conflicts`.
    pub ticks: Counter<u64>,
    /// Apps that left the fleet, by `reason`.
    pub apps_removed: Counter<u64>,
    /// 1 for a subscription whose apps Azure did not list when it was last asked, else 0, by `subscription`.
    pub subscription_unanswered: Gauge<u64>,
    /// By which revision of the fleet the process works.
    pub revision: RevisionGauges,
    /// Tries to send notifications, by `channel` and `result`: `sent`, `failed`, `given_up`.
    pub notifications: Counter<u64>,
    /// Runs dispatched to workers.
    pub dispatched: Counter<u64>,
    /// Leases that expired.
    pub leases_reclaimed: Counter<u64>,
    /// Lanes with due runs at the last pass.
    pub lanes_due: Gauge<u64>,
    /// Seconds since the due time of the oldest due run, at the last pass.
    pub oldest_due: Gauge<f64>,
    /// Runs leased to workers after the last pass.
    pub outstanding: Gauge<u64>,
    /// Budgets closed after a 429 from Azure, by `call`.
    pub budgets_closed: Counter<u64>,
    /// 1 for a tenant, subscription or storage account that does not answer this worker, else 0, by `kind` and `name`.
    pub breaker_open: Gauge<u64>,
    /// Steps, by `result`.
    pub steps: Counter<u64>,
    /// How long a step took.
    pub process_duration: Histogram<f64>,
    /// Messages handed to the queue.
    pub sent_messages: Counter<u64>,
    /// Messages taken from the queue.
    pub consumed_messages: Counter<u64>,
    /// How long the queue took to confirm.
    pub operation_duration: Histogram<f64>,
    /// Calls to ARM.
    pub request_duration: Histogram<f64>,
    /// Calls that ARM answered with 429, by `operation`.
    pub throttled: Counter<u64>,
    /// Remaining budget that ARM reported, by `azure.subscription.id` and `call`.
    pub budget_remaining: Gauge<u64>,
}

/// By which revision of the fleet the process works.
#[derive(Debug)]
pub struct RevisionGauges {
    /// Its number; 0 for the fleet file.
    pub number: Gauge<u64>,
    /// 1 while the process cannot take up the newest one, else 0.
    pub refused: Gauge<u64>,
}

impl RevisionGauges {
    fn new(meter: &Meter) -> Self {
        let gauge = |name, what| meter.u64_gauge(name).with_description(what).build();
        Self {
            number: gauge(
                "holdfast.fleet.revision",
                "The revision of the fleet that the process works by; 0 for its fleet file.",
            ),
            refused: gauge(
                "holdfast.fleet.revision.refused",
                "1 while the process cannot take up the newest revision of the fleet, else 0.",
            ),
        }
    }
}

impl Instruments {
    /// All of them, on one meter.
    pub fn new(meter: &Meter) -> Self {
        let of = |name: &'static str, unit: &'static str, what: &'static str| {
            meter.u64_counter(name).with_unit(unit).with_description(what).build()
        };
        let gauge = |name: &'static str, unit: &'static str, what: &'static str| {
            meter.u64_gauge(name).with_unit(unit).with_description(what).build()
        };
        let seconds = |name: &'static str, bounds: &[f64], what: &'static str| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(what);
            histogram.with_boundaries(bounds.to_vec()).build()
        };
        let oldest = meter.f64_gauge("holdfast.lanes.oldest_due").with_unit("s");
        Self {
            notifications: of("holdfast.notifications", "{try}", "Tries to send notifications."),
            runs_ended: of("holdfast.runs.ended", "{run}", "Runs that ended."),
            run_duration: seconds("holdfast.run.duration", &LONG_S, "From a run's creation to its end."),
            start_lag: seconds(
                "holdfast.run.start_lag",
                &LONG_S,
                "From a run's due time to Azure's acceptance of its first attempt.",
            ),
            attempts_started: of("holdfast.attempts.started", "{attempt}", "Attempts begun."),
            attempts_failed: of("holdfast.attempts.failed", "{attempt}", "Attempts failed, starts refused."),
            deferrals: of("holdfast.deferrals", "{deferral}", "Runs deferred without a failure."),
            sas_refreshes: of("holdfast.sas.refreshes", "{refresh}", "SAS replaced."),
            sas_expiry: gauge(
                "holdfast.sas.expiry.timestamp",
                "s",
                "Expiry of the SAS that the latest attempt sent.",
            ),
            audit_events: of("holdfast.audit.events", "{event}", "Audit events written."),
            ticks: of("holdfast.ticks", "{tick}", "Ticks considered."),
            apps_removed: of("holdfast.apps.removed", "{app}", "Apps that left the fleet."),
            subscription_unanswered: gauge(
                "holdfast.subscription.unanswered",
                "",
                "1 for a subscription whose apps Azure did not list when it was last asked, else 0.",
            ),
            revision: RevisionGauges::new(meter),
            dispatched: of("holdfast.runs.dispatched", "{run}", "Runs dispatched."),
            leases_reclaimed: of("holdfast.leases.reclaimed", "{lease}", "Leases that expired."),
            lanes_due: gauge("holdfast.lanes.due", "{lane}", "Lanes with due runs."),
            oldest_due: oldest.with_description("Time since the due time of the oldest due run.").build(),
            outstanding: gauge("holdfast.runs.outstanding", "{run}", "Runs leased to workers."),
            budgets_closed: of(
                "holdfast.budgets.closed",
                "{budget}",
                "Budgets closed after a 429 from Azure.",
            ),
            breaker_open: gauge(
                "holdfast.breaker.open",
                "",
                "1 for a tenant, subscription or storage account that does not answer this worker, else 0.",
            ),
            steps: of("holdfast.steps", "{step}", "Steps processed."),
            process_duration: seconds("messaging.process.duration", &SHORT_S, "How long a step took."),
            sent_messages: of("messaging.client.sent.messages", "{message}", "Messages handed over."),
            consumed_messages: of("messaging.client.consumed.messages", "{message}", "Messages taken."),
            operation_duration: seconds(
                "messaging.client.operation.duration",
                &SHORT_S,
                "How long the queue took to confirm messages.",
            ),
            request_duration: seconds("http.client.request.duration", &SHORT_S, "Calls to ARM."),
            throttled: of("holdfast.arm.throttled", "{call}", "Calls that ARM answered with 429."),
            budget_remaining: gauge(
                "holdfast.arm.budget.remaining",
                "{call}",
                "What ARM last said was left of a budget: a hint, counted by ARM for each of its instances.",
            ),
        }
    }
}
