//! Receives messages and works them off, several at once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

use crate::{Ended, Environment, NoopStepObserver, Settings, StepObserver, Stepped, step};

/// The receive loop. Stopping it lets the steps in hand finish; dropping it drops them too, and loses nothing.
#[derive(Clone)]
pub struct Worker {
    env: Environment,
    settings: Settings,
    concurrency: usize,
    observer: Arc<dyn StepObserver>,
}

impl Worker {
    /// A worker that takes `concurrency` steps at once, at least one.
    pub fn new(env: Environment, settings: Settings, concurrency: usize) -> Self {
        Self { env, settings, concurrency: concurrency.max(1), observer: Arc::new(NoopStepObserver) }
    }

    /// Lets `watch` see the steps.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn StepObserver>) -> Self {
        self.observer = observer;
        self
    }

    /// Works until `stop`, then finishes the steps in hand. `rng` spreads pauses.
    pub async fn run(self, mut rng: fastrand::Rng, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let mut steps = JoinSet::new();
        loop {
            while steps.try_join_next().is_some() {}
            // A place first, a message then: no message waits in the hands of a worker that is busy.
            let place = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                place = Arc::clone(&slots).acquire_owned() => place,
            };
            let delivery = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                delivery = self.env.queue.receive() => delivery,
            };
            let delivery = match delivery {
                Ok(delivery) => delivery,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "no message can be had");
                    // The queue mends itself; until then nobody is helped by asking faster.
                    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), stop.cancelled()).await;
                    continue;
                }
            };
            let (worker, mut rng) = (self.clone(), rng.fork());
            let run = delivery.message.wakeup.run_id;
            let span = tracing::info_span!(parent: None, "step", %run, app = Empty, attempt = Empty);
            self.observer.begins(&delivery.message, &span);
            steps.spawn(
                async move {
                    worker.work_off(delivery, &mut rng).await;
                    drop(place);
                }
                .instrument(span),
            );
        }
        while steps.join_next().await.is_some() {}
    }

    /// One message. It is acked whatever became of it: a step that failed is brought back by its lease, and a
    /// message put back at once would only fail again.
    async fn work_off(&self, delivery: holdfast_queue::Delivery, rng: &mut fastrand::Rng) {
        let begun = self.env.clock.elapsed();
        let step = step(&self.env, &self.settings, delivery.message.wakeup, rng);
        // A panic is a defect, and no more than a crash. What the step held is dropped with it.
        let ended = match AssertUnwindSafe(step).catch_unwind().await {
            Ok(Ok(Stepped::Done)) => Ended::Done,
            Ok(Ok(Stepped::Dropped)) => {
                tracing::debug!("a late or doubled message was dropped");
                Ended::Dropped
            }
            Err(_) => {
                tracing::error!("a step panicked; its lease brings it back");
                Ended::Panicked
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a step failed; its lease brings it back");
                Ended::Failed
            }
        };
        self.observer.ended(ended, self.env.clock.elapsed().saturating_sub(begun));
        if let Err(error) = delivery.ack().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a message may come again");
        }
    }
}
