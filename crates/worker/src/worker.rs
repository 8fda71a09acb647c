//! The receive loop: receives messages and executes their steps concurrently.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use holdfast_model::{Call, Wakeup};
use holdfast_store::BreakerRecord;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

use crate::bulkheads::{Admission, BreakerChange, Bulkheads, Place, Tenants};
use crate::environment::{Environment, Settings};
use crate::error::Error;
use crate::step::{LoadedStep, load, put_back, step_loaded};
use crate::step_observer::{NoopStepObserver, StepObserver};
use crate::step_result::{StepResult, Stepped};
use crate::watched_storage::WatchedStorage;

/// The receive loop. Stopping it lets running steps finish; dropping it drops them, and loses nothing.
#[derive(Clone)]
pub struct Worker {
    env: Environment,
    settings: Settings,
    concurrency: usize,
    observer: Arc<dyn StepObserver>,
    bulkheads: Arc<Bulkheads>,
}

impl Worker {
    /// A worker that executes `concurrency` steps at once, at least one.
    pub fn new(env: Environment, settings: Settings, concurrency: usize) -> Self {
        let bulkheads = Bulkheads::new(concurrency, Tenants::default(), Arc::clone(&env.clock));
        Self::with_bulkheads(env, settings, concurrency, Arc::new(bulkheads))
    }

    /// A worker with these bulkheads, which observe the calls of its client of ARM.
    pub fn with_bulkheads(
        mut env: Environment,
        settings: Settings,
        concurrency: usize,
        bulkheads: Arc<Bulkheads>,
    ) -> Self {
        let clock = Arc::clone(&env.clock);
        env.storage = Arc::new(WatchedStorage::new(env.storage, Arc::clone(&bulkheads), clock));
        let (concurrency, observer) = (concurrency.max(1), Arc::new(NoopStepObserver));
        Self { env, settings, concurrency, observer, bulkheads }
    }

    /// Reports every step to `observer`.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn StepObserver>) -> Self {
        self.observer = observer;
        self
    }

    /// Runs until `stop`, then finishes the running steps. `rng` randomizes pauses.
    pub async fn run(self, mut rng: fastrand::Rng, stop: CancellationToken) {
        let permits = Arc::new(Semaphore::new(self.concurrency));
        let mut steps = JoinSet::new();
        loop {
            while steps.try_join_next().is_some() {}
            // A permit first, then a message: a busy worker holds no message that another could execute.
            let permit = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                permit = Arc::clone(&permits).acquire_owned() => permit,
            };
            let delivery = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                delivery = self.env.queue.receive() => delivery,
            };
            let delivery = match delivery {
                Ok(delivery) => delivery,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "failed to receive a message; trying again in a second"
                    );
                    // The queue reconnects by itself. Faster calls would not help.
                    let _ = tokio::time::timeout(Duration::from_secs(1), stop.cancelled()).await;
                    continue;
                }
            };
            let (worker, mut rng) = (self.clone(), rng.fork());
            let run = delivery.message.wakeup.run_id;
            let span = tracing::info_span!(parent: None, "step", %run, app = Empty, attempt = Empty);
            self.observer.begins(&delivery.message, &span);
            steps.spawn(
                async move {
                    worker.execute(delivery, &mut rng).await;
                    drop(permit);
                }
                .instrument(span),
            );
        }
        while steps.join_next().await.is_some() {}
    }

    /// Executes the step of one message and acknowledges it, whatever the result. A failed run becomes due again when its
    /// lease expires; a message that is requeued at once would only fail again.
    async fn execute(&self, delivery: holdfast_queue::Delivery, rng: &mut fastrand::Rng) {
        let begun = self.env.clock.elapsed();
        let step = self.step(delivery.message.wakeup, rng);
        // A panic is a defect, and costs no more than a crash: the step drops what it holds.
        let result = match AssertUnwindSafe(step).catch_unwind().await {
            Ok(Ok(stepped)) => {
                log(stepped);
                StepResult::Ended(stepped)
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a step failed; the run becomes due again when its lease expires");
                StepResult::Failed
            }
            Err(_) => {
                tracing::error!("a step panicked; the run becomes due again when its lease expires");
                StepResult::Panicked
            }
        };
        self.observer.ended(result, self.env.clock.elapsed().saturating_sub(begun));
        if let Err(error) = delivery.ack().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "failed to acknowledge a message; it may be delivered again"
            );
        }
    }
}

impl Worker {
    /// Executes the step of a run within the share of its subscription and storage account.
    async fn step(&self, wakeup: Wakeup, rng: &mut fastrand::Rng) -> Result<Stepped, Error> {
        let (place, step) = match self.enter(wakeup).await? {
            Entered::Admitted(place, step) => (place, step),
            Entered::PutBack(pause, step) => return put_back(&self.env, *step, pause).await,
            Entered::Dropped(why) => return Ok(why),
        };
        let stepped = step_loaded(&self.env, &self.settings, *step, rng).await;
        drop(place);
        for change in self.bulkheads.take_changes() {
            if let Err(error) = self.record(&change).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "failed to record that a part of azure does not answer, or answers again"
                );
            }
        }
        stepped
    }

    /// Records a breaker that opened or closed, and holds the runs that wait for its next probe.
    async fn record(&self, change: &BreakerChange) -> Result<(), holdfast_store::Error> {
        let BreakerChange { compartment, pause, subscriptions } = change;
        let (store, kind, name) = (&self.env.store, compartment.kind(), compartment.name());
        self.observer.breaker_changed(compartment, pause.is_some());
        let now = store.now().await?;
        let until = pause.map(|pause| now + pause);
        let breaker = BreakerRecord { kind: kind.to_owned(), name: name.to_owned(), at: now, until };
        store.record_breaker(&breaker).await?;
        let Some((pause, until)) = pause.zip(until) else {
            tracing::info!(kind, name, "a part of azure answers again");
            return Ok(());
        };
        tracing::warn!(
            kind,
            name,
            "a part of azure does not answer; its runs wait for {} s, then one of them tries again",
            pause.as_secs()
        );
        for subscription in subscriptions {
            for call in Call::ALL {
                store.close_budget(subscription, call, until).await?;
            }
        }
        Ok(())
    }

    /// Loads the run and waits for a place.
    async fn enter(&self, wakeup: Wakeup) -> Result<Entered, Error> {
        loop {
            let step = match load(&self.env, wakeup).await? {
                Ok(step) => step,
                Err(why) => return Ok(Entered::Dropped(why)),
            };
            match self.bulkheads.enter(&step.loaded.run) {
                Admission::Admitted(place) => return Ok(Entered::Admitted(place, Box::new(step))),
                Admission::Slow(pause) => return Ok(Entered::PutBack(pause, Box::new(step))),
                Admission::Full => self.bulkheads.wait().await,
            }
        }
    }
}

/// What becomes of a message.
enum Entered {
    /// The step runs.
    Admitted(Place, Box<LoadedStep>),
    /// What the step depends on hangs: the run waits.
    PutBack(Duration, Box<LoadedStep>),
    /// The message does nothing.
    Dropped(Stepped),
}

fn log(stepped: Stepped) {
    match stepped {
        Stepped::Done => {}
        Stepped::Dropped => tracing::debug!("dropped a late or duplicated message"),
        Stepped::NotLeased => {
            tracing::debug!("dropped a message without a lease; it was forged, replayed, or came late");
        }
        Stepped::PutBack => {
            tracing::debug!("the run's tenant, subscription or storage account hangs; the run waits");
        }
        Stepped::NothingToDo => tracing::debug!("the run's state asks for no action"),
        Stepped::SendWindowLapsed => {
            tracing::info!("the worker was paused before the request left; the attempt is reconciled later");
        }
        Stepped::HostSuspended => {
            tracing::info!(
                "the process or its host stood still; the run becomes due again when its lease expires"
            );
        }
    }
}
