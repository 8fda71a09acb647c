//! Warnings of a request that goes on.

use std::sync::Arc;

/// Receives warnings while a request is under way.
pub type Notify = Arc<dyn Fn(&str) + Send + Sync>;
