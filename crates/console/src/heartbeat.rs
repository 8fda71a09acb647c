//! Loops that go round, and whether they still do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Clock, Timestamp};

use crate::Check;

/// Remembers when a loop last went round well.
#[derive(Debug)]
pub struct Pulse {
    clock: Arc<dyn Clock>,
    /// By the clock's `elapsed`, in milliseconds, plus one: 0 stands for never.
    beat: AtomicU64,
    at: Mutex<Option<Timestamp>>,
}

impl Pulse {
    /// A loop that has not gone round yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, beat: AtomicU64::new(0), at: Mutex::new(None) }
    }

    /// It went round well.
    pub fn beat(&self) {
        let elapsed = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.beat.store(elapsed + 1, Ordering::Relaxed);
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now());
    }

    /// When it last did, by the wall time.
    pub fn at(&self) -> Option<Timestamp> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long ago that was, by a clock that nobody sets.
    pub fn age(&self) -> Option<Duration> {
        let beat = self.beat.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.clock.elapsed().saturating_sub(Duration::from_millis(beat)))
    }
}

/// The loop went round within the given time.
#[derive(Debug)]
pub struct Recent {
    name: &'static str,
    pulse: Arc<Pulse>,
    within: Duration,
}

impl Recent {
    /// The check called `name`.
    pub fn new(name: &'static str, pulse: Arc<Pulse>, within: Duration) -> Self {
        Self { name, pulse, within }
    }
}

#[async_trait]
impl Check for Recent {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn look(&self) -> Result<(), String> {
        match self.pulse.age() {
            Some(age) if age <= self.within => Ok(()),
            Some(age) => Err(format!("the last good pass was {} s ago", age.as_secs())),
            None => Err("no pass has succeeded since the start".to_owned()),
        }
    }
}
