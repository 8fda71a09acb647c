//! A heartbeat for a dead-man's switch: it stops when backups are no longer planned.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use holdfast_storage::SecretRef;
use holdfast_store::Store;
use tokio_util::sync::CancellationToken;

use crate::channel::ChannelSender;

/// Whether the loops of a process make progress.
pub trait Progress: Send + Sync {
    /// What has made no progress within a time; `None` where all have.
    fn stuck(&self, within: Duration) -> Option<String>;
}

/// Requests a URL while the planner, the dispatcher and the store make progress.
pub struct HeartbeatLoop {
    /// The name of the channel.
    pub name: String,
    /// The URL.
    pub url: SecretRef,
    /// The interval.
    pub every: Duration,
    /// Sends the requests.
    pub sender: ChannelSender,
    /// The loops.
    pub progress: Arc<dyn Progress>,
    /// The store, which must answer within the interval.
    pub store: Arc<dyn Store>,
}

impl fmt::Debug for HeartbeatLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatLoop").field("name", &self.name).finish_non_exhaustive()
    }
}

impl HeartbeatLoop {
    /// Beats until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut was_well = true;
        loop {
            if tokio::time::timeout(self.every, stop.cancelled()).await.is_ok() {
                return;
            }
            let beaten = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                beaten = self.beat() => beaten,
            };
            match beaten {
                Ok(()) => was_well = true,
                Err(why) if was_well => {
                    tracing::warn!(channel = self.name, why, "no heartbeat sent");
                    was_well = false;
                }
                Err(_) => {}
            }
        }
    }

    /// Sends one beat, unless something is stuck. The error says what.
    pub async fn beat(&self) -> Result<(), String> {
        if let Some(stuck) = self.progress.stuck(self.every) {
            return Err(stuck);
        }
        match tokio::time::timeout(self.every, self.store.now()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(format!("the store failed: {error}")),
            Err(_) => return Err("the store does not answer".to_owned()),
        }
        self.sender.beat(&self.url).await.map_err(|error| error.to_string())
    }
}
