//! Writes the checkpoints of a process that runs until stopped.

use std::pin::pin;

use crate::audit::checkpointer::{CheckpointSchedule, Checkpointer};

impl Checkpointer {
    /// Writes checkpoints as they are due, until `stop` completes.
    ///
    /// A failure is logged, and `holdfast status` and the metrics show it; the next try is a minute later.
    pub async fn keep(self, stop: impl Future<Output = ()>) {
        let (mut schedule, mut stop) = (CheckpointSchedule::default(), pin!(stop));
        loop {
            let written = tokio::select! {
                biased;
                () = &mut stop => return,
                written = self.write_due(&mut schedule) => written,
            };
            let pause = written.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "failed to record the checkpoints of the audit");
                self.retry()
            });
            if tokio::time::timeout(pause, &mut stop).await.is_ok() {
                return;
            }
        }
    }
}
