//! What a look saw at Azure and in storage.

use std::collections::BTreeMap;

use holdfast_arm::{BlobSizes, ObservedBackups};
use holdfast_model::StorageName;

/// What a look saw.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// Azure's backups of the app.
    pub listed: ObservedBackups,
    /// The blobs that were read, or why they could not be read, by the archive's name.
    pub blobs: BTreeMap<String, Result<BlobSizes, String>>,
    /// The URLs of the containers that the storages of the recorded backups name.
    pub containers: BTreeMap<StorageName, String>,
}
