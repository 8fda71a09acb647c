//! Deletions, and the SAS that Azure keeps with a backup and deletes it with.

use holdfast_arm::{Backup, Error, Operation};
use holdfast_model::{BackupId, Delete, RefreshReason, Run, RunKind, SasFacts, SasRefresh};
use holdfast_store::RunFilter;

use super::{grant, in_time};
use crate::apply::{NotReady, Renewed, Sight, Stays, is_another};
use crate::{Environment, Settings};

/// The DELETE.
pub(crate) async fn delete(
    env: &Environment,
    settings: &Settings,
    run: &Run,
    delete: &Delete,
) -> Result<Option<Backup>, Error> {
    let answer = env.arm.delete_backup(&run.app, delete.backup);
    in_time(settings.call_timeout, (Operation::DeleteBackup, &run.app), answer).await
}

/// The backup in its app's list, if it is still there.
pub(crate) async fn find(env: &Environment, run: &Run, backup: BackupId) -> Result<Option<Backup>, Error> {
    let listed = env.arm.list_backups(&run.app).await?;
    Ok(listed.into_iter().find(|listed| listed.id == backup))
}

/// What speaks against the DELETE, as it stands now: a restore may have begun since the run was planned, and an app may
/// have been made anew.
pub(crate) async fn stays(env: &Environment, run: &Run, delete: &Delete) -> Result<Option<Stays>, NotReady> {
    for kind in [RunKind::Restore, RunKind::Drill] {
        let filter = RunFilter { kind: Some(kind), unfinished: true, ..RunFilter::default() };
        let others = env.store.runs(&filter).await?;
        if let Some(reader) = others.iter().find(|other| other.reads(&run.app, delete)) {
            return Ok(Some(Stays::Read { by: reader.id }));
        }
    }
    let listed = find(env, run, delete.backup).await?;
    Ok(listed.filter(|listed| is_another(&delete.blob, listed)).map(|_| Stays::Another))
}

/// Puts a new SAS in the place of the one that Azure keeps with a backup. Doing it twice does no more than once, so it
/// needs no intent.
pub(crate) async fn renew(
    env: &Environment,
    sight: &Sight<'_>,
    backup: BackupId,
    (reason, old): (RefreshReason, Option<SasFacts>),
) -> Result<Renewed, NotReady> {
    let run = sight.run;
    let granted = grant(env, sight, Some(reason)).await?;
    let container = env.storage.container(&run.policy_snapshot.storage)?.to_string();
    let storage = run.policy_snapshot.storage.clone();
    let answer = env.arm.backup_secrets(&run.app, backup, Some(&granted.url));
    let answer = in_time(sight.settings.call_timeout, (Operation::BackupSecrets, &run.app), answer).await;
    let kept = SasRefresh { storage, container, reason, old, new: granted.facts, backup: Some(backup) };
    Ok(Renewed { ours: granted.refresh, kept, answer: answer.map(drop) })
}
