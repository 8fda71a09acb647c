//! How the apps stand, read from the store's own rows.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_model::{Clock, Timestamp};
use holdfast_store::{AppStatus, Store};

/// How long one reading serves: many may ask, and it costs a look at every app.
const SERVES_FOR: Duration = Duration::from_secs(5);
/// How long a reading may take before the one before it serves once more.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// The rows behind `holdfast status`, kept for some seconds.
pub struct Standing {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    read: Mutex<Option<Read>>,
    /// One reading at a time; the others wait for it and share it.
    turn: tokio::sync::Mutex<()>,
}

struct Read {
    elapsed: Duration,
    shown: Arc<Shown>,
}

/// One reading.
#[derive(Debug)]
pub struct Shown {
    /// When it was made.
    pub at: Timestamp,
    /// Every app that is enrolled; not those that were.
    pub apps: Vec<AppStatus>,
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing").finish_non_exhaustive()
    }
}

impl Standing {
    /// Nothing read yet.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, read: Mutex::new(None), turn: tokio::sync::Mutex::new(()) }
    }

    /// The last reading; `None` before the first that succeeded.
    pub fn shown(&self) -> Option<Arc<Shown>> {
        self.lock().as_ref().map(|read| Arc::clone(&read.shown))
    }

    /// Reads anew unless the last reading is some seconds old at most. A store that fails or is slow leaves the last
    /// one: times of the past stay true, and get older by themselves.
    pub async fn refresh(&self) {
        let _turn = self.turn.lock().await;
        let elapsed = self.clock.elapsed();
        if self.lock().as_ref().is_some_and(|read| elapsed.saturating_sub(read.elapsed) < SERVES_FOR) {
            return;
        }
        match tokio::time::timeout(READ_WITHIN, self.store.status()).await {
            Ok(Ok(mut apps)) => {
                apps.retain(|app| !app.removed);
                let shown = Arc::new(Shown { at: self.clock.now(), apps });
                *self.lock() = Some(Read { elapsed, shown });
            }
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "how apps stand cannot be read");
            }
            Err(_) => tracing::warn!("how apps stand cannot be read in time"),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Read>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
