//! The reading that pages share: a few seconds old at most.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_model::{AppId, Clock};
use holdfast_store::{ActFilter, AppDay, Day, Store};

use crate::views::acts::PersonAct;
use crate::views::day_mark::{DayMark, first_day};
use crate::views::reading::{DAYS, FleetReading};
use crate::{Error, ErrorKind};

/// Time for which a reading is reused. It costs a query over every app.
const REUSED_FOR: Duration = Duration::from_secs(5);
/// Maximum time of the first reading, which has all days, and of a later one. After it the previous reading stays.
const FIRST_WITHIN: Duration = Duration::from_secs(20);
const READ_WITHIN: Duration = Duration::from_secs(5);
/// Days that are read again each time: runs that end around midnight may belong to either.
const READ_AGAIN: u16 = 2;
/// How often all days are read again, because missed ticks may be recorded days later.
const READ_WHOLE: Duration = Duration::from_hours(1);
/// Acts of people that are read.
const ACTS: u32 = 20;

/// A cache of the fleet's rows for pages about the whole fleet.
pub struct FleetCache {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    latest: Mutex<Option<Latest>>,
    /// Held while reading, so that concurrent callers share one reading.
    reading: tokio::sync::Mutex<()>,
}

/// A reading, and whether the store could not be reached when it was last asked for.
#[derive(Debug, Clone)]
pub struct CachedReading {
    /// The reading.
    pub reading: Arc<FleetReading>,
    /// Whether the reading is old because the store cannot be reached.
    pub store_away: bool,
}

#[derive(Clone)]
struct Latest {
    /// When the store was last asked, by the monotonic clock; `None` to ask again.
    asked: Option<Duration>,
    /// When all days were last read, by the same clock.
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
        Self { store, clock, latest: Mutex::new(None), reading: tokio::sync::Mutex::new(()) }
    }

    /// The latest reading, however old; `None` before the first one.
    pub fn latest(&self) -> Option<CachedReading> {
        self.lock().as_ref().map(|latest| latest.cached.clone())
    }

    /// A reading that is a few seconds old at most, or an older one marked as such if the store fails or is slow. An
    /// error only before the first reading.
    pub async fn read(&self) -> Result<CachedReading, Error> {
        let _reading = self.reading.lock().await;
        let asked = self.clock.elapsed();
        let before = self.lock().clone();
        if let Some(Latest { asked: Some(last), cached, .. }) = &before
            && asked.saturating_sub(*last) < REUSED_FOR
        {
            return Ok(cached.clone());
        }
        let whole = before.as_ref().map(|latest| latest.whole);
        let whole = whole.filter(|whole| asked.saturating_sub(*whole) < READ_WHOLE);
        let before = before.map(|latest| latest.cached.reading);
        let read = read(&*self.store, before.as_deref().filter(|_| whole.is_some()));
        let whole = whole.unwrap_or(asked);
        let within = if before.is_some() { READ_WITHIN } else { FIRST_WITHIN };
        let error = match tokio::time::timeout(within, read).await {
            Ok(Ok(reading)) => {
                let cached = CachedReading { reading: Arc::new(reading), store_away: false };
                *self.lock() = Some(Latest { asked: Some(asked), whole, cached: cached.clone() });
                return Ok(cached);
            }
            Ok(Err(error)) => Error::from(error),
            Err(_) => Error::new(ErrorKind::Store, "failed to read the fleet from the store in time"),
        };
        tracing::warn!(error = &error as &dyn std::error::Error, "failed to read the fleet");
        let Some(reading) = before else { return Err(error) };
        let cached = CachedReading { reading, store_away: true };
        *self.lock() = Some(Latest { asked: Some(asked), whole, cached: cached.clone() });
        Ok(cached)
    }

    /// Makes the next [`FleetCache::read`] ask the store, because the caller has changed it.
    pub fn expire(&self) {
        if let Some(latest) = self.lock().as_mut() {
            latest.asked = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Latest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the fleet. Days before the last few are taken from `before`.
async fn read(
    store: &dyn Store,
    before: Option<&FleetReading>,
) -> Result<FleetReading, holdfast_store::Error> {
    let at = store.now().await?;
    let first = first_day(at, DAYS);
    // The days from that of the last reading on may have changed.
    let since = before.map_or(first, |before| first_day(before.at.min(at), READ_AGAIN).max(first));
    let days = store.app_days(since, None).await?;
    Ok(FleetReading {
        at,
        apps: store.status().await?,
        days: merged(before.map(|before| &before.days), &days, DayRange { first, since }),
        subscriptions: store.subscriptions().await?,
        breakers: store.open_breakers().await?,
        checkpoints: store.checkpoints().await?,
        acts: acts(store).await?,
    })
}

/// The first day that is shown, and the first that was read again.
struct DayRange {
    first: Day,
    since: Day,
}

/// The days of the reading before, with those that were read again in their place.
fn merged(
    before: Option<&BTreeMap<AppId, Vec<DayMark>>>,
    days: &[AppDay],
    DayRange { first, since }: DayRange,
) -> BTreeMap<AppId, Vec<DayMark>> {
    let mut merged = before.cloned().unwrap_or_default();
    for marks in merged.values_mut() {
        marks.retain(|mark| (first..since).contains(&mark.day));
    }
    for day in days {
        match merged.get_mut(&day.app) {
            Some(marks) => marks.push(DayMark::from(day)),
            None => drop(merged.insert(day.app.clone(), vec![DayMark::from(day)])),
        }
    }
    merged.retain(|_, marks| !marks.is_empty());
    merged
}

/// What people did lately.
async fn acts(store: &dyn Store) -> Result<Vec<PersonAct>, holdfast_store::Error> {
    let events = store.acts(&ActFilter { before: None, most: ACTS }).await?;
    Ok(events.iter().filter_map(PersonAct::of).collect())
}
