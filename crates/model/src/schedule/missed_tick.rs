//! Ticks that are recorded instead of run.

use crate::Timestamp;
use crate::words::words;

words! {
    /// Why a tick was not run.
    pub enum MissReason {
        /// No planner saw it in time, and it is older than `catch_up`.
        TooLate,
        /// No planner saw it in time, and a later tick is caught up instead.
        Superseded,
        /// The app's previous run had not ended.
        Overlap,
        /// Azure does not back up apps of this tier or kind.
        Unsupported,
    }
}

/// A tick that is recorded instead of run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedTick {
    /// The due time.
    pub tick: Timestamp,
    /// Why it is not run.
    pub reason: MissReason,
}
