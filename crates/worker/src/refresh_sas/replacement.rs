//! The replacement of a SAS that Azure keeps with a backup.

use holdfast_arm::Error;
use holdfast_model::SasRefresh;

/// A request to replace the SAS that Azure keeps with a backup, and its answer.
#[derive(Debug)]
pub(super) struct Replacement {
    /// The replacement of the storage's own SAS that preceded the request.
    pub storage_refresh: Option<SasRefresh>,
    /// What the request asked for.
    pub requested: SasRefresh,
    /// The answer.
    pub answer: Result<(), Error>,
}
