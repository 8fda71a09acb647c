//! Verifies the backups of one app, and records what is verified and what is lost.

use holdfast_arm::{BlobSizes, Observation, VerifyResult, judge};
use holdfast_model::{Actor, AppId, CatalogEntry, NewRun, OperatorAction, Timestamp};
use holdfast_store::CatalogFilter;

use crate::context::ControlContext;
use crate::error::Error;
use crate::inventory::{being_deleted, in_reach};
use crate::{observed_backups, operator_actions};

/// A backup of the catalog and its result.
pub type Judged = (CatalogEntry, VerifyResult);

/// Verifies an app's backups, and adds an operator action for each that is verified or lost.
pub async fn verify_app(
    context: &ControlContext<'_>,
    app: &AppId,
    entries: Vec<CatalogEntry>,
    mut rng: fastrand::Rng,
) -> Result<Vec<Judged>, Error> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut judged = judge_all(context, app, entries).await?;
    if judged.iter().any(|(_, result)| matches!(result, VerifyResult::Lost { .. })) {
        // A backup that was deleted meanwhile is not lost.
        let filter = CatalogFilter { app: Some(app.clone()), ..CatalogFilter::default() };
        let kept = context.store.catalog(&filter).await?;
        let is_kept = |entry: &CatalogEntry| kept.iter().any(|kept| kept.backup == entry.backup);
        judged.retain(|(entry, _)| is_kept(entry));
    }
    let now = context.store.now().await?;
    let actions: Vec<NewRun> =
        judged.iter().filter_map(|judged| action(judged, &context.actor, now, &mut rng)).collect();
    context.store.add_runs(&actions).await?;
    Ok(judged)
}

fn action(
    (entry, result): &Judged,
    actor: &Actor,
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> Option<NewRun> {
    let backup = entry.backup.id;
    let action = match result {
        VerifyResult::Verified { size_bytes } => OperatorAction::Verified { backup, size_bytes: *size_bytes },
        VerifyResult::Lost { detail } => OperatorAction::Lost { backup, detail: detail.clone() },
        VerifyResult::Unchecked { .. } => return None,
    };
    Some(operator_actions::about(entry, (action, actor.clone()), now, rng))
}

async fn judge_all(
    context: &ControlContext<'_>,
    app: &AppId,
    entries: Vec<CatalogEntry>,
) -> Result<Vec<Judged>, Error> {
    let observed = match observed_backups::observe(&*context.arm, app, &entries).await {
        Ok(observed) => observed,
        Err(error) => {
            let result = VerifyResult::Unchecked { detail: error.to_string() };
            return Ok(entries.into_iter().map(|entry| (entry, result.clone())).collect());
        }
    };
    let deleting = being_deleted(context.store, app).await?;
    let mut judged = Vec::new();
    for entry in entries {
        let now = context.store.now().await?;
        let observation = Observation {
            listed: observed.find(&entry.backup),
            doubt: observed.doubt.as_ref().map(ToString::to_string),
            is_being_deleted: deleting.contains(&entry.backup.id),
            blobs: blobs(context, &entry, now).await,
        };
        let result = judge(&entry.backup, &observation);
        judged.push((entry, result));
    }
    Ok(judged)
}

/// The blob and its manifest; `None` where storage is out of reach.
async fn blobs(
    context: &ControlContext<'_>,
    entry: &CatalogEntry,
    now: Timestamp,
) -> Option<Result<BlobSizes, String>> {
    if !in_reach(entry, context.fleet) {
        return None;
    }
    let read = async {
        let archive = context.storage.blob(&entry.storage, &entry.backup.blob, now).await?;
        let manifest = context.storage.blob(&entry.storage, &entry.backup.manifest(), now).await?;
        let size = |blob: Option<holdfast_storage::BlobFacts>| blob.map(|blob| blob.size_bytes);
        Ok(BlobSizes { archive: size(archive), manifest: size(manifest) })
    };
    Some(read.await.map_err(|error: holdfast_storage::Error| error.to_string()))
}
