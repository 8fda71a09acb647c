//! The reading that pages share.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_model::{Clock, PolicyName};
use holdfast_store::Store;
use tokio::sync::OwnedMutexGuard;

use crate::views::fleet_read::read_fleet;
use crate::views::reading::FleetReading;
use crate::{Error, ErrorKind};

/// Time for which a reading is fresh. It costs a query over every app.
const FRESH_FOR: Duration = Duration::from_secs(5);
/// Time for which a reading is still given, while the next one is under way.
const GIVEN_FOR: Duration = Duration::from_secs(30);
/// Maximum time of the first reading, which has all days, and of a later one. After it the previous reading stays.
const FIRST_WITHIN: Duration = Duration::from_secs(20);
const READ_WITHIN: Duration = Duration::from_secs(5);
/// How often all days are read again, because missed ticks may be recorded days later.
const READ_WHOLE: Duration = Duration::from_hours(1);

/// A cache of the fleet's rows for pages about the whole fleet. It reads only while pages ask.
pub struct FleetCache {
    inner: Arc<Inner>,
    /// Held while reading, so that concurrent callers share one reading.
    turn: Arc<tokio::sync::Mutex<()>>,
}

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    latest: Mutex<Option<Latest>>,
    /// Number of calls of [`FleetCache::expire`].
    expired: AtomicU64,
    /// The policies whose storage gets its SAS from Holdfast itself.
    minted: Mutex<Arc<BTreeSet<PolicyName>>>,
}

/// A reading, and whether the store could not be reached when it was last asked for.
#[derive(Debug, Clone)]
pub struct CachedReading {
    /// The reading.
    pub reading: Arc<FleetReading>,
    /// Whether the reading is old because the store cannot be reached.
    pub store_away: bool,
    /// The number of the reading: greater than that of any with other rows before it.
    pub version: u64,
}

#[derive(Clone)]
struct Latest {
    /// When the store was last asked, by the monotonic clock.
    asked: Duration,
    /// The number of expirations by then.
    expired: u64,
    /// When all days were last read, by the monotonic clock.
    whole: Duration,
    cached: CachedReading,
}

impl fmt::Debug for FleetCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetCache").finish_non_exhaustive()
    }
}

impl FleetCache {
    /// An empty cache.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self::with_minted(store, clock, BTreeSet::new())
    }

    /// An empty cache, whose readings know the policies whose storage gets its SAS from Holdfast itself.
    pub fn with_minted(store: Arc<dyn Store>, clock: Arc<dyn Clock>, minted: BTreeSet<PolicyName>) -> Self {
        let (latest, expired, minted) = (Mutex::new(None), AtomicU64::new(0), Mutex::new(Arc::new(minted)));
        Self { inner: Arc::new(Inner { store, clock, latest, expired, minted }), turn: Arc::default() }
    }

    /// The latest reading, however old; `None` before the first one.
    pub fn latest(&self) -> Option<CachedReading> {
        self.inner.lock().as_ref().map(|latest| latest.cached.clone())
    }

    /// A reading that is a few seconds old, or up to half a minute after a pause: the next one is then under way.
    ///
    /// If the store fails or is slow, the latest reading stays, marked as such. An error only before the first reading.
    pub async fn read(&self) -> Result<CachedReading, Error> {
        match self.inner.within(GIVEN_FOR) {
            Some(latest) => {
                if self.inner.within(FRESH_FOR).is_none()
                    && let Ok(turn) = Arc::clone(&self.turn).try_lock_owned()
                {
                    let inner = Arc::clone(&self.inner);
                    tokio::spawn(async move { inner.read(turn).await.map(drop) });
                }
                Ok(latest.cached)
            }
            None => self.inner.read(Arc::clone(&self.turn).lock_owned().await).await,
        }
    }

    /// Tells later readings which policies have a storage that gets its SAS from Holdfast itself: the fleet has changed.
    pub fn set_minted(&self, minted: BTreeSet<PolicyName>) {
        *self.inner.minted.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(minted);
    }

    /// Makes the next [`FleetCache::read`] wait for what the store has from now on, because the caller has changed it.
    pub fn expire(&self) {
        self.inner.expired.fetch_add(1, Ordering::SeqCst);
    }
}

impl Inner {
    /// The latest reading, if it is not older than `age` and has not expired.
    fn within(&self, age: Duration) -> Option<Latest> {
        let (now, expired) = (self.clock.elapsed(), self.expired.load(Ordering::SeqCst));
        let is_current =
            |latest: &Latest| latest.expired == expired && now.saturating_sub(latest.asked) < age;
        self.lock().clone().filter(is_current)
    }

    /// Reads, unless another caller did while this one waited for its turn.
    async fn read(&self, _turn: OwnedMutexGuard<()>) -> Result<CachedReading, Error> {
        if let Some(latest) = self.within(FRESH_FOR) {
            return Ok(latest.cached);
        }
        let (asked, expired) = (self.clock.elapsed(), self.expired.load(Ordering::SeqCst));
        let before = self.lock().clone();
        let days_of = before.as_ref().filter(|before| asked.saturating_sub(before.whole) < READ_WHOLE);
        let whole = days_of.map_or(asked, |before| before.whole);
        let read = read_fleet(&*self.store, days_of.map(|before| &*before.cached.reading));
        let within = if before.is_some() { READ_WITHIN } else { FIRST_WITHIN };
        let error = match tokio::time::timeout(within, read).await {
            Ok(Ok(reading)) => {
                let reading = FleetReading { minted: self.minted(), ..reading };
                let version = before.map_or(1, |before| {
                    before.cached.version + u64::from(!reading.has_same_rows(&before.cached.reading))
                });
                let cached = CachedReading { reading: Arc::new(reading), store_away: false, version };
                return Ok(self.keep(Latest { asked, expired, whole, cached }));
            }
            Ok(Err(error)) => Error::from(error),
            Err(_) => Error::new(ErrorKind::Store, "failed to read the fleet from the store in time"),
        };
        tracing::warn!(error = &error as &dyn std::error::Error, "failed to read the fleet");
        let Some(before) = before else { return Err(error) };
        let cached = CachedReading { store_away: true, ..before.cached };
        Ok(self.keep(Latest { asked, expired, whole: before.whole, cached }))
    }

    fn minted(&self) -> Arc<BTreeSet<PolicyName>> {
        Arc::clone(&self.minted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, latest: Latest) -> CachedReading {
        let cached = latest.cached.clone();
        *self.lock() = Some(latest);
        cached
    }

    fn lock(&self) -> MutexGuard<'_, Option<Latest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
