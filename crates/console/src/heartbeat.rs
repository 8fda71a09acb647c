//! Heartbeats of loops, and the readiness check on them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Clock, Timestamp};

use crate::Check;

/// Records when a loop last completed a pass.
#[derive(Debug)]
pub struct Heartbeat {
    clock: Arc<dyn Clock>,
    /// The clock's `elapsed` in milliseconds, plus one; 0 means never.
    beat: AtomicU64,
    at: Mutex<Option<Timestamp>>,
}

impl Heartbeat {
    /// A heartbeat without a beat yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, beat: AtomicU64::new(0), at: Mutex::new(None) }
    }

    /// Records a completed pass.
    pub fn beat(&self) {
        let elapsed = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.beat.store(elapsed + 1, Ordering::Relaxed);
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now());
    }

    /// The wall time of the last beat.
    pub fn at(&self) -> Option<Timestamp> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time since the last beat, by the monotonic clock.
    pub fn age(&self) -> Option<Duration> {
        let beat = self.beat.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.clock.elapsed().saturating_sub(Duration::from_millis(beat)))
    }
}

/// Checks that a loop's last beat is recent.
#[derive(Debug)]
pub struct RecentHeartbeat {
    name: &'static str,
    heartbeat: Arc<Heartbeat>,
    max_age: Duration,
}

impl RecentHeartbeat {
    /// A check called `name`, which fails when the last beat is older than `max_age`.
    pub fn new(name: &'static str, heartbeat: Arc<Heartbeat>, max_age: Duration) -> Self {
        Self { name, heartbeat, max_age }
    }
}

#[async_trait]
impl Check for RecentHeartbeat {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn check(&self) -> Result<(), String> {
        match self.heartbeat.age() {
            Some(age) if age <= self.max_age => Ok(()),
            Some(age) => Err(format!("the last successful pass was {} s ago", age.as_secs())),
            None => Err("no pass has succeeded since the start".to_owned()),
        }
    }
}
