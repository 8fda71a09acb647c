//! The status of the apps, read from the store and cached.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_model::{Clock, Timestamp};
use holdfast_store::{AppStatus, CheckpointStatus, Store};

/// Time for which a reading is reused. It costs a query over every app.
const REUSED_FOR: Duration = Duration::from_secs(5);
/// Maximum time of a query. After it the previous reading stays.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// A cache of the rows behind `holdfast status`, a few seconds old at most.
pub struct AppStatusCache {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    read: Mutex<Option<Read>>,
    /// Held while reading, so that concurrent callers share one query.
    reading: tokio::sync::Mutex<()>,
}

struct Read {
    elapsed: Duration,
    latest: Arc<AppStatusReading>,
}

/// One reading.
#[derive(Debug)]
pub struct AppStatusReading {
    /// When it was read.
    pub at: Timestamp,
    /// Every enrolled app. Removed apps are left out.
    pub apps: Vec<AppStatus>,
    /// How the writing of checkpoints of the audit fares.
    pub checkpoints: Vec<CheckpointStatus>,
}

impl fmt::Debug for AppStatusCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppStatusCache").finish_non_exhaustive()
    }
}

impl AppStatusCache {
    /// An empty cache.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, read: Mutex::new(None), reading: tokio::sync::Mutex::new(()) }
    }

    /// The latest reading; `None` before the first one.
    pub fn latest(&self) -> Option<Arc<AppStatusReading>> {
        self.lock().as_ref().map(|read| Arc::clone(&read.latest))
    }

    /// Reads again if the latest reading is more than a few seconds old.
    ///
    /// If the store fails or is slow, the latest reading stays; it has its own time.
    pub async fn refresh(&self) {
        let _reading = self.reading.lock().await;
        let elapsed = self.clock.elapsed();
        if self.lock().as_ref().is_some_and(|read| elapsed.saturating_sub(read.elapsed) < REUSED_FOR) {
            return;
        }
        let read = async { Ok((self.store.status().await?, self.store.checkpoints().await?)) };
        let read: Result<Result<_, holdfast_store::Error>, _> = tokio::time::timeout(READ_WITHIN, read).await;
        match read {
            Ok(Ok((mut apps, checkpoints))) => {
                apps.retain(|app| !app.removed);
                let latest = Arc::new(AppStatusReading { at: self.clock.now(), apps, checkpoints });
                *self.lock() = Some(Read { elapsed, latest });
            }
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "failed to read the status of the apps"
                );
            }
            Err(_) => tracing::warn!("failed to read the status of the apps in time"),
        }
    }

    /// The rows of the store that could not be read since it was opened, each counted once.
    pub fn unreadable_rows(&self) -> u64 {
        self.store.unreadable_seen()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Read>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
