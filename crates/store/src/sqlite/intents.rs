//! What stands against an intent, looked at in the transaction that commits it.

use holdfast_model::{Delete, Run};
use sqlx::SqliteConnection;

use super::driver::During;
use super::runs;
use super::runs::COMMIT;
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
        if runs::list(tx, &rivals).await?.iter().any(|other| intent.is_hindered_by(run, other)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Is a backup held, or, unless even that may go, the only good one that no run is about to delete?
async fn must_stay(connection: &mut SqliteConnection, run: &Run, delete: &Delete) -> Result<bool, Error> {
    let stays = "/* must_stay */ SELECT EXISTS (
        SELECT 1 FROM catalog AS kept WHERE kept.app = ?1 AND kept.backup_id = ?2 AND (kept.hold IS NOT NULL
          OR ?3 AND kept.good AND NOT EXISTS (
            SELECT 1 FROM catalog AS other
            WHERE other.app = kept.app AND other.good AND other.gone_at IS NULL AND other.backup_id <> kept.backup_id
              AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.app = other.app AND runs.state <> 'ended'
                              AND runs.subject = 'delete ' || other.backup_id))))";
    sqlx::query_scalar(stays)
        .bind(run.app.to_string())
        .bind(delete.backup.0)
        .bind(!delete.even_the_last)
        .fetch_one(connection)
        .await
        .during(COMMIT)
}
