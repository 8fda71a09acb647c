//! What stands against an intent, looked at in the transaction that commits it.

use holdfast_model::{AppId, BackupId, Delete, Run};
use sqlx::SqliteConnection;

use super::driver::During;
use super::runs::COMMIT;
use super::{catalog, listing};
use crate::Error;
use crate::intent::Intent;

/// Does anything stand against what `run` begins?
pub(super) async fn is_hindered(
    tx: &mut SqliteConnection,
    run: &Run,
    intent: Intent<'_>,
) -> Result<bool, Error> {
    if let Intent::Delete(delete) = intent
        && must_stay(tx, run, delete).await?
    {
        return Ok(true);
    }
    for rivals in intent.rivals() {
        if listing::list(tx, &rivals).await?.iter().any(|other| intent.is_hindered_by(run, other)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Is a backup held, or, unless even that may go, the last one?
async fn must_stay(tx: &mut SqliteConnection, run: &Run, delete: &Delete) -> Result<bool, Error> {
    let backup = (&run.app, delete.backup);
    let is_held = catalog::one(tx, backup, COMMIT).await?.is_some_and(|kept| kept.hold.is_some());
    Ok(is_held || !delete.allow_last && is_last(tx, backup, COMMIT).await?)
}

/// Is nothing that stands in for the backup still there and not about to be deleted? As [`CatalogEntry`] has it:
/// for a good one only a good one does, and only what is good or partial is counted on.
///
/// [`CatalogEntry`]: holdfast_model::CatalogEntry
pub(super) async fn is_last(
    connection: &mut SqliteConnection,
    (app, backup): (&AppId, BackupId),
    operation: &'static str,
) -> Result<bool, Error> {
    let last = "/* is_last */ SELECT EXISTS (
        SELECT 1 FROM catalog AS kept
        WHERE kept.app = ?1 AND kept.backup_id = ?2 AND (kept.good OR kept.origin = 'partial') AND NOT EXISTS (
            SELECT 1 FROM catalog AS other
            WHERE other.app = kept.app AND (other.good OR NOT kept.good) AND other.removed_at IS NULL
              AND other.backup_id <> kept.backup_id
              AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.app = other.app AND runs.state <> 'ended'
                              AND runs.subject = 'delete ' || other.backup_id)))";
    let last = sqlx::query_scalar(last).bind(app.to_string()).bind(backup.0);
    last.fetch_one(connection).await.during(operation)
}
