//! The faults of one process, drawn from the seed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_arm::{Error, ErrorKind, Operation, Progress};
use holdfast_model::{AppId, Call, SubscriptionId, Timestamp};
use tokio_util::sync::CancellationToken;

/// Longest time that a process stalls at an await; longer than any lease.
pub(crate) const LONGEST_STALL: Duration = Duration::from_mins(15);

/// The probability of each fault, from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FaultRates {
    pub crash: f64,
    pub stall: f64,
    pub store_error: f64,
    pub message_lost: f64,
    pub message_doubled: f64,
    /// A message is published that no dispatcher sent: of the run's next version, with its old lease or an invented one.
    pub message_forged: f64,
    /// A read is answered 403 or 404, once.
    pub read_refused: f64,
    /// A failed restore is answered 500 on its link.
    pub failure_as_500: f64,
}

/// The faults injected so far, over all processes.
#[derive(Debug, Default)]
pub(crate) struct FaultCounts {
    pub crashes: AtomicU64,
    pub stalls: AtomicU64,
    pub store_errors: AtomicU64,
    pub messages_lost: AtomicU64,
    pub messages_doubled: AtomicU64,
    pub messages_forged: AtomicU64,
    pub reads_refused: AtomicU64,
    pub failures_as_500: AtomicU64,
    /// Each metered lease: the store's time, and the subscription and the kind of call it was charged to.
    pub leases: Mutex<Vec<(Timestamp, SubscriptionId, Call)>>,
}

/// Draws the faults of one process.
#[derive(Debug)]
pub(crate) struct FaultInjector {
    pub(super) rates: FaultRates,
    pub(super) rng: Mutex<fastrand::Rng>,
    /// No fault happens once this is cleared.
    faults_on: Arc<AtomicBool>,
    pub(super) fault_counts: Arc<FaultCounts>,
    /// Cancelled when the process crashes.
    pub crashed: CancellationToken,
}

impl FaultInjector {
    pub(crate) fn new(
        rates: FaultRates,
        rng: fastrand::Rng,
        faults_on: Arc<AtomicBool>,
        fault_counts: Arc<FaultCounts>,
    ) -> Arc<Self> {
        Arc::new(Self {
            rates,
            rng: Mutex::new(rng),
            faults_on,
            fault_counts,
            crashed: CancellationToken::new(),
        })
    }

    pub(super) fn happens(&self, rate: f64, count: &AtomicU64) -> bool {
        let drawn = self.rng.lock().unwrap().f64() < rate;
        let happens = drawn && self.faults_on.load(Ordering::Relaxed);
        count.fetch_add(u64::from(happens), Ordering::Relaxed);
        happens
    }

    /// An await at which the process may crash, or stall for longer than any lease.
    pub(super) async fn await_point(&self) {
        if self.happens(self.rates.crash, &self.fault_counts.crashes) {
            self.crashed.cancel();
            std::future::pending::<()>().await;
        }
        if self.happens(self.rates.stall, &self.fault_counts.stalls) {
            let seconds = self.rng.lock().unwrap().u64(1..LONGEST_STALL.as_secs());
            pause(Duration::from_secs(seconds)).await;
        }
    }

    /// Azure refuses a read in its own words, although nothing is wrong.
    pub(super) fn read_is_refused(&self, operation: Operation, app: &AppId) -> Result<(), Error> {
        if self.rates.read_refused == 0.0
            || !self.happens(self.rates.read_refused, &self.fault_counts.reads_refused)
        {
            return Ok(());
        }
        let is_forbidden = self.rng.lock().unwrap().bool();
        let (kind, status) =
            if is_forbidden { (ErrorKind::Forbidden, 403) } else { (ErrorKind::NotFound, 404) };
        Err(Error::new(operation, app.short_name(), kind, "simulated").with_answer(status, None))
    }

    /// A failed restore, as App Service answers it on the operation's link.
    pub(super) fn told_as_500(&self, app: &AppId, progress: Progress) -> Result<Progress, Error> {
        let is_failure = matches!(progress, Progress::Failed { .. }) && self.rates.failure_as_500 > 0.0;
        if !is_failure || !self.happens(self.rates.failure_as_500, &self.fault_counts.failures_as_500) {
            return Ok(progress);
        }
        let error = Error::new(Operation::GetOperation, app.short_name(), ErrorKind::Ambiguous, "simulated");
        Err(error.with_answer(500, Some("InternalServerError")))
    }

    pub(super) fn store_fails(&self, operation: &'static str) -> Result<(), holdfast_store::Error> {
        if self.happens(self.rates.store_error, &self.fault_counts.store_errors) {
            let what = "simulated".to_owned();
            return Err(holdfast_store::Error::Inconsistent { operation, what });
        }
        Ok(())
    }
}

/// Sleeps in simulated time.
#[expect(clippy::disallowed_methods, reason = "under paused time this waits for nothing real")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A wrapper whose process may crash or stall before and after each call.
#[derive(Debug, Clone)]
pub(crate) struct Faulty<T> {
    pub inner: T,
    pub injector: Arc<FaultInjector>,
}

impl<T> Faulty<T> {
    pub(super) async fn around<R>(&self, call: impl Future<Output = R>) -> R {
        self.injector.await_point().await;
        let result = call.await;
        self.injector.await_point().await;
        result
    }
}
