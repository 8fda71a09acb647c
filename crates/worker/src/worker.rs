//! Receives messages and works them off, several at once.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::{Seams, Settings, Stepped, step};

/// The receive loop. Dropping it loses nothing; stopping it lets the steps in hand finish.
#[derive(Clone)]
pub struct Worker {
    seams: Seams,
    settings: Settings,
    concurrency: usize,
}

impl Worker {
    /// A worker that takes `concurrency` steps at once, at least one.
    pub fn new(seams: Seams, settings: Settings, concurrency: usize) -> Self {
        Self { seams, settings, concurrency: concurrency.max(1) }
    }

    /// Works until `stop`, then finishes the steps in hand. `rng` spreads pauses.
    pub async fn run(self, mut rng: fastrand::Rng, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let steps = TaskTracker::new();
        loop {
            // A place first, a message then: no message waits in the hands of a worker that is busy.
            let place = tokio::select! {
                () = stop.cancelled() => break,
                place = Arc::clone(&slots).acquire_owned() => place,
            };
            let delivery = tokio::select! {
                () = stop.cancelled() => break,
                delivery = self.seams.queue.receive() => delivery,
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
            let span = tracing::info_span!("step", run = %delivery.message.wakeup.run_id);
            steps.spawn(
                async move {
                    worker.work_off(delivery, &mut rng).await;
                    drop(place);
                }
                .instrument(span),
            );
        }
        steps.close();
        steps.wait().await;
    }

    /// One message. It is acked whatever became of it: a step that failed is brought back by its lease, and a
    /// message put back at once would only fail again.
    async fn work_off(&self, delivery: holdfast_queue::Delivery, rng: &mut fastrand::Rng) {
        match step(&self.seams, &self.settings, delivery.message.wakeup, rng).await {
            Ok(Stepped::Done) => {}
            Ok(Stepped::Dropped) => tracing::debug!("a late or doubled message was dropped"),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a step failed; its lease brings it back");
            }
        }
        if let Err(error) = delivery.ack().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a message may come again");
        }
    }
}
