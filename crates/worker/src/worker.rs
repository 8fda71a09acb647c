//! Receives messages and works them off, several at once.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{Seams, Settings, Stepped, step};

/// The receive loop. Stopping it lets the steps in hand finish; dropping it drops them too, and loses nothing.
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
        let mut steps = JoinSet::new();
        loop {
            while let Some(ended) = steps.try_join_next() {
                report_panic(ended);
            }
            // A place first, a message then: no message waits in the hands of a worker that is busy.
            let place = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                place = Arc::clone(&slots).acquire_owned() => place,
            };
            let delivery = tokio::select! {
                biased;
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
        while let Some(ended) = steps.join_next().await {
            report_panic(ended);
        }
    }

    /// One message. It is acked whatever became of it: a step that failed is brought back by its lease, and a
    /// message put back at once would only fail again.
    async fn work_off(&self, delivery: holdfast_queue::Delivery, rng: &mut fastrand::Rng) {
        match step(&self.seams, &self.settings, delivery.message.wakeup, rng).await {
            Ok(Stepped::Done) => {}
            Ok(Stepped::Dropped) => tracing::debug!("a late or doubled message was dropped"),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a step failed; its lease brings it back"
                );
            }
        }
        if let Err(error) = delivery.ack().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a message may come again");
        }
    }
}

/// A step that panicked is a defect, and no more than a crash: its lease brings the run back.
fn report_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a step panicked; its lease brings it back"
        );
    }
}
