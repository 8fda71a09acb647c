//! Answers that are read in the background: no page waits for them, and no page view reads by itself.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_control::Error;
use holdfast_model::{Clock, Timestamp};

/// Pause after a failure.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// Reads the answer.
type Read<T> = dyn Fn() -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send>> + Send + Sync;

/// A cache of an answer. It reads only while pages ask, and one reading at a time.
pub struct BackgroundCache<T> {
    read: Box<Read<T>>,
    clock: Arc<dyn Clock>,
    /// Time for which an answer is used.
    used_for: Duration,
    state: Arc<Mutex<State<T>>>,
}

struct State<T> {
    answer: Option<Dated<T>>,
    error: Option<String>,
    is_asking: bool,
    /// When it may be read again, by the monotonic clock.
    next: Duration,
    /// Number of calls of [`BackgroundCache::expire`].
    expired: u64,
}

/// An answer, and when it was asked for.
#[derive(Debug)]
pub struct Dated<T> {
    /// The answer.
    pub answer: Arc<T>,
    /// When it was asked for.
    pub asked_at: Timestamp,
}

/// What is known now.
#[derive(Debug)]
pub struct Known<T> {
    /// The last answer; `None` before the first.
    pub answer: Option<Dated<T>>,
    /// Why there was none the last time.
    pub error: Option<String>,
    /// Whether the next answer is being read.
    pub is_asking: bool,
}

impl<T> Clone for Dated<T> {
    fn clone(&self) -> Self {
        Self { answer: Arc::clone(&self.answer), asked_at: self.asked_at }
    }
}

impl<T: Send + Sync + 'static> BackgroundCache<T> {
    /// An empty cache, whose answers are used for a time.
    pub fn new<F>(
        clock: Arc<dyn Clock>,
        used_for: Duration,
        read: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let state = State { answer: None, error: None, is_asking: false, next: Duration::ZERO, expired: 0 };
        Self { read: Box::new(move || Box::pin(read())), clock, used_for, state: Arc::new(Mutex::new(state)) }
    }

    /// What is known now. Reads in the background where that is too old.
    pub fn read(&self) -> Known<T> {
        let mut state = lock(&self.state);
        if !state.is_asking && self.clock.elapsed() >= state.next {
            state.is_asking = true;
            let expired = state.expired;
            self.ask(expired);
        }
        Known { answer: state.answer.clone(), error: state.error.clone(), is_asking: state.is_asking }
    }

    /// Makes the next [`Self::read`] read again, and forgets the answer: it is about another fleet.
    pub fn expire(&self) {
        let mut state = lock(&self.state);
        (state.answer, state.error, state.next) = (None, None, Duration::ZERO);
        state.expired += 1;
    }

    fn ask(&self, expired: u64) {
        let (reading, clock, used_for) = ((self.read)(), Arc::clone(&self.clock), self.used_for);
        let (state, asked_at) = (Arc::clone(&self.state), clock.now());
        tokio::spawn(async move {
            // A reading that panics counts as failed.
            let answer = tokio::spawn(reading).await;
            let mut state = lock(&state);
            state.is_asking = false;
            if state.expired != expired {
                return;
            }
            match answer {
                Ok(Ok(answer)) => {
                    state.answer = Some(Dated { answer: Arc::new(answer), asked_at });
                    (state.error, state.next) = (None, clock.elapsed() + used_for);
                }
                Ok(Err(error)) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "failed to read in the background"
                    );
                    (state.error, state.next) = (Some(error.to_string()), clock.elapsed() + RETRY_AFTER);
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a reading in the background ended"
                    );
                    let what = "the reading ended unexpectedly; the log says why".to_owned();
                    (state.error, state.next) = (Some(what), clock.elapsed() + RETRY_AFTER);
                }
            }
        });
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
