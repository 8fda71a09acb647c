//! Reads the sizes of a backup's blobs.

use futures::future::join_all;
use holdfast_arm::BlobSizes;
use holdfast_model::{BackupFacts, StorageName};

use crate::step_context::StepContext;

/// Backups whose blobs are read concurrently.
pub(crate) const AT_ONCE: usize = 8;

/// A backup and the storage that holds its blobs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredBackup<'a> {
    pub storage: &'a StorageName,
    pub backup: &'a BackupFacts,
}

/// The sizes of the blobs of each backup.
pub(crate) async fn all_sizes(
    context: &StepContext<'_>,
    backups: &[StoredBackup<'_>],
) -> Vec<Result<BlobSizes, holdfast_storage::Error>> {
    join_all(backups.iter().map(|backup| sizes(context, *backup))).await
}

/// The sizes of a backup's archive and of the manifest beside it. Without an archive the manifest is not read.
async fn sizes(
    context: &StepContext<'_>,
    StoredBackup { storage, backup }: StoredBackup<'_>,
) -> Result<BlobSizes, holdfast_storage::Error> {
    let (source, now) = (&context.env.storage, context.input.now);
    let archive = source.blob(storage, &backup.blob, now).await?.map(|blob| blob.size_bytes);
    let manifest = match archive {
        Some(_) => source.blob(storage, &backup.manifest(), now).await?.map(|blob| blob.size_bytes),
        None => None,
    };
    Ok(BlobSizes { archive, manifest })
}
