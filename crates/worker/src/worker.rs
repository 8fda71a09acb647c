//! The receive loop: receives messages and executes their steps concurrently.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use holdfast_model::{Call, Wakeup};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

use crate::bulkheads::{Admission, Bulkheads, Place};
use crate::environment::{Environment, Settings};
use crate::error::Error;
use crate::step::{LoadedStep, load, put_back, step_loaded};
use crate::step_observer::{NoopStepObserver, StepObserver};
use crate::step_result::{StepResult, Stepped};

/// How long a run waits that found no room beside hanging steps.
const PUT_BACK_FOR: Duration = Duration::from_secs(5);

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
        let concurrency = concurrency.max(1);
        let bulkheads = Arc::new(Bulkheads::new(concurrency, Arc::clone(&env.clock)));
        Self { env, settings, concurrency, observer: Arc::new(NoopStepObserver), bulkheads }
    }

    /// Uses these bulkheads, which observe the calls of the worker's client of ARM.
    #[must_use]
    pub fn with_bulkheads(mut self, bulkheads: Arc<Bulkheads>) -> Self {
        self.bulkheads = bulkheads;
        self
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
        let Some((place, step)) = self.enter(wakeup).await? else { return Ok(Stepped::Dropped) };
        let Some(place) = place else { return put_back(&self.env, step, PUT_BACK_FOR).await };
        let subscription = step.loaded.run.app.subscription().clone();
        let stepped = step_loaded(&self.env, &self.settings, step, rng).await;
        drop(place);
        if let Some(pause) = self.bulkheads.take_opened(&subscription) {
            tracing::warn!(
                %subscription,
                "a subscription does not answer; its runs wait for {} s, then one of them tries again",
                pause.as_secs()
            );
            let until = self.env.store.now().await? + pause;
            for call in Call::ALL {
                self.env.store.close_budget(&subscription, call, until).await?;
            }
        }
        stepped
    }

    /// Loads the run and waits for a place. No place where its subscription or storage account hangs; nothing where the
    /// message is late.
    async fn enter(&self, wakeup: Wakeup) -> Result<Option<(Option<Place>, LoadedStep)>, Error> {
        loop {
            let Some(step) = load(&self.env, wakeup).await? else { return Ok(None) };
            match self.bulkheads.enter(&step.loaded.run) {
                Admission::Admitted(place) => return Ok(Some((Some(place), step))),
                Admission::Slow => return Ok(Some((None, step))),
                Admission::Full => self.bulkheads.wait().await,
            }
        }
    }
}

fn log(stepped: Stepped) {
    match stepped {
        Stepped::Done => {}
        Stepped::Dropped => tracing::debug!("dropped a late or duplicated message"),
        Stepped::PutBack => tracing::debug!("the run's subscription or storage account hangs; the run waits"),
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
