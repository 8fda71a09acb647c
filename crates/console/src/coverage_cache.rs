//! What Azure lists, asked for in the background: no page waits for it, and no page view asks by itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_control::azure_requests::AzureRequests;
use holdfast_control::coverage::Coverage;
use holdfast_model::{Clock, Timestamp};

/// Time for which an answer is used. It costs a call for each subscription, and one for each app whose slots are enrolled.
const USED_FOR: Duration = Duration::from_mins(15);
/// Pause after a failure.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// A cache of what Azure lists. It asks only while pages ask.
pub struct CoverageCache {
    azure: Arc<dyn AzureRequests>,
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    answer: Option<CoverageAnswer>,
    error: Option<String>,
    is_asking: bool,
    /// When Azure may be asked again, by the monotonic clock.
    next: Duration,
}

/// What Azure listed, and when it was asked.
#[derive(Debug, Clone)]
pub struct CoverageAnswer {
    /// The apps.
    pub coverage: Arc<Coverage>,
    /// When Azure was asked.
    pub asked_at: Timestamp,
}

/// What is known now.
#[derive(Debug, Clone)]
pub struct CoverageReading {
    /// The last answer; `None` before the first.
    pub answer: Option<CoverageAnswer>,
    /// Why Azure did not answer the last time.
    pub error: Option<String>,
    /// Whether Azure is being asked.
    pub is_asking: bool,
}

impl CoverageCache {
    /// An empty cache.
    pub fn new(azure: Arc<dyn AzureRequests>, clock: Arc<dyn Clock>) -> Self {
        Self { azure, clock, state: Arc::default() }
    }

    /// What is known now. Asks Azure in the background where that is too old.
    pub fn read(&self) -> CoverageReading {
        let mut state = lock(&self.state);
        if !state.is_asking && self.clock.elapsed() >= state.next {
            state.is_asking = true;
            self.ask();
        }
        CoverageReading {
            answer: state.answer.clone(),
            error: state.error.clone(),
            is_asking: state.is_asking,
        }
    }

    fn ask(&self) {
        let (azure, clock) = (Arc::clone(&self.azure), Arc::clone(&self.clock));
        let state = Arc::clone(&self.state);
        let asked_at = clock.now();
        tokio::spawn(async move {
            let answer = azure.coverage().await;
            let mut state = lock(&state);
            state.is_asking = false;
            match answer {
                Ok(coverage) => {
                    state.answer = Some(CoverageAnswer { coverage: Arc::new(coverage), asked_at });
                    (state.error, state.next) = (None, clock.elapsed() + USED_FOR);
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "failed to read the coverage");
                    (state.error, state.next) = (Some(error.to_string()), clock.elapsed() + RETRY_AFTER);
                }
            }
        });
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
