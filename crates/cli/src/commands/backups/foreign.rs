//! Backups that somebody else took, on their way into the catalog.

use holdfast_model::{
    App, BackupFacts, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName, Timestamp,
};

use crate::desk::Desk;
use crate::exit::{Exit, Failure};

/// The policy snapshot under which they are kept: in the storage that was named, else in the policy's.
pub fn policy_snapshot(app: &App, storage: Option<&str>, desk: &Desk<'_>) -> Result<PolicySnapshot, Failure> {
    desk.policy_snapshot(app, storage.map(StorageName::new).as_ref())
}

/// Azure does not say in which container a backup lies. One that is not where it is looked for would be deleted with a
/// SAS of another container, so nothing is taken over by guessing.
pub async fn find_blobs(
    backups: &[BackupFacts],
    policy_snapshot: &PolicySnapshot,
    desk: &Desk<'_>,
) -> anyhow::Result<()> {
    if backups.is_empty() {
        return Ok(());
    }
    if !policy_snapshot.verify {
        desk.context
            .out
            .message("the storage is out of reach, so nothing tells whether these backups lie in it");
        return Ok(());
    }
    for backup in backups {
        if desk.storage.blob(&policy_snapshot.storage, &backup.blob, desk.now).await?.is_none() {
            let what = format!("backup {} does not lie in storage `{}`", backup.id, policy_snapshot.storage);
            return Err(Failure::new(Exit::Usage, what).help("name the right one with --storage").into());
        }
    }
    Ok(())
}

/// The note that puts a backup into the catalog.
pub fn taken_over(
    backup: &BackupFacts,
    (app, policy_snapshot): (&App, &PolicySnapshot),
    by: String,
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> NewRun {
    let note = OperatorAction::TakenOver { backup: backup.clone(), storage: policy_snapshot.storage.clone() };
    NewRun::operator_action(RunId::new(now, rng), app, policy_snapshot, note, by, now)
}

/// Everything that keeps a command from its work.
pub fn refused(reasons: &[String]) -> Failure {
    let what = match reasons {
        [one] => one.clone(),
        several => format!("nothing was done:\n  {}", several.join("\n  ")),
    };
    Failure::new(Exit::Usage, what)
}
