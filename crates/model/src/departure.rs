//! Why an app leaves the fleet.

use crate::words::words;

words! {
    /// Why an app left the fleet.
    pub enum DepartureReason {
        /// Azure answered 404 for the app itself, more than once.
        NotFound,
        /// The fleet file no longer names the app, its subscription or its slot.
        NotInFleetFile,
    }
}
