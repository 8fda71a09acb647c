//! Whether the notifier of a process can work.

use std::sync::{Arc, Mutex, PoisonError};

/// Why the notifier of a process cannot work, for the status of the process.
#[derive(Debug, Clone, Default)]
pub struct NotifierHealth(Arc<Mutex<Option<String>>>);

impl NotifierHealth {
    /// Why it cannot work; `None` while it can.
    pub fn error(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that it works, or why not.
    pub fn note(&self, error: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}
