//! Adoption: backups that others took, put into the catalog and under retention.

use holdfast_arm::{Arm, Backup, FoundSchedule};
use holdfast_model::{
    Actor, App, AppId, BackupFacts, BackupId, BackupStatus, NewRun, OperatorAction, PolicySnapshot, RunId,
    StorageName, Timestamp,
};

use crate::inventory::{Inventory, Item};
use crate::{ControlContext, Error, ErrorKind, refused};

/// A request to adopt backups of an app.
#[derive(Debug)]
pub struct AdoptionRequest {
    /// The app, by its ARM id or short name.
    pub app: String,
    /// The backups.
    pub backups: Vec<BackupId>,
    /// The storage that holds them; `None` for the policy's.
    pub storage: Option<StorageName>,
}

/// Backups that were adopted.
#[derive(Debug)]
pub struct Adopted {
    /// The app.
    pub app: AppId,
    /// The storage that holds them.
    pub storage: StorageName,
    /// The backups.
    pub backups: Vec<BackupFacts>,
}

/// Adopts the backups, or none when one of them cannot be adopted.
pub async fn adopt(
    context: &ControlContext<'_>,
    request: &AdoptionRequest,
    rng: &mut fastrand::Rng,
) -> Result<Adopted, Error> {
    let inventory = Inventory::of(&request.app, context).await?;
    let backups = select(&inventory, &request.backups).map_err(|reasons| refused(&reasons))?;
    let app = &inventory.app;
    refuse_scheduled(&inventory, &backups, &*context.arm).await?;
    let policy_snapshot = context.policy_snapshot(app, request.storage.as_ref())?;
    require_blobs(&backups, &policy_snapshot, context).await?;
    let by = (&context.actor, context.now);
    let adopt = |backup| adopting_run(backup, (app, &policy_snapshot), by, rng);
    let runs: Vec<NewRun> = backups.iter().map(adopt).collect();
    context.store.add_runs(&runs).await?;
    Ok(Adopted { app: app.id.clone(), storage: policy_snapshot.storage, backups })
}

/// The backups to adopt, or every reason why not.
pub(crate) fn select(inventory: &Inventory, ids: &[BackupId]) -> Result<Vec<BackupFacts>, Vec<String>> {
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for (index, id) in ids.iter().enumerate() {
        if ids[..index].contains(id) {
            continue;
        }
        match inventory.find(*id) {
            Some(Item { entry: None, azure: Some(backup), .. }) => match adoptable(backup) {
                Ok(facts) => taken.push(facts),
                Err(why) => refused.push(why),
            },
            Some(_) => refused.push(format!("backup {id} is in the catalog already")),
            None => refused.push(format!(
                "backup {id} is unknown: Azure does not list it; `holdfast backups list {}` shows what it lists",
                inventory.app.id.short_name()
            )),
        }
    }
    if refused.is_empty() { Ok(taken) } else { Err(refused) }
}

/// The facts of a backup that others took, as the catalog will keep them.
///
/// An adopted backup counts as good, so only a whole one is adopted.
pub(crate) fn adoptable(backup: &Backup) -> Result<BackupFacts, String> {
    let id = backup.id;
    if backup.status != BackupStatus::Succeeded {
        return Err(format!("backup {id} is {}: only whole backups are adopted", backup.status));
    }
    let (Some(blob), Some(accepted_at)) = (backup.blob_name.clone(), backup.created) else {
        return Err(format!("Azure does not say which blob backup {id} is, or when it was taken"));
    };
    Ok(BackupFacts {
        id,
        blob,
        size_bytes: backup.size_bytes.unwrap_or(0),
        accepted_at,
        finished_at: backup.finished,
        databases: backup.databases.clone(),
    })
}

/// Refuses backups that Azure's own schedule deletes by its own rule.
///
/// A backup that may vanish must not stand in for one of ours.
async fn refuse_scheduled(
    inventory: &Inventory,
    backups: &[BackupFacts],
    arm: &dyn Arm,
) -> Result<(), Error> {
    let is_scheduled = |backup: &&BackupFacts| {
        let azure = inventory.find(backup.id).and_then(|item| item.azure.as_ref());
        azure.is_some_and(|azure| azure.scheduled)
    };
    let Some(scheduled) = backups.iter().find(is_scheduled) else { return Ok(()) };
    let name = inventory.app.id.short_name();
    match arm.schedule(&inventory.app.id).await? {
        Some(FoundSchedule { schedule, .. }) if schedule.enabled && schedule.retention_days > 0 => {
            let what =
                format!("Azure's own schedule took backup {} and deletes it by its own rule", scheduled.id);
            let help = format!("`holdfast native-schedule remove {name}` removes that schedule");
            Err(Error::new(ErrorKind::Conflict, what).help(help))
        }
        _ => Ok(()),
    }
}

/// Refuses backups whose blobs are not in the storage.
///
/// Azure does not say which container holds a backup, and a wrong guess would delete it with a SAS of another
/// container.
pub(crate) async fn require_blobs(
    backups: &[BackupFacts],
    policy_snapshot: &PolicySnapshot,
    context: &ControlContext<'_>,
) -> Result<(), Error> {
    if backups.is_empty() {
        return Ok(());
    }
    if !policy_snapshot.verify {
        (context.notify)(
            "the storage cannot be reached from here, so it was not checked that it holds these backups",
        );
        return Ok(());
    }
    for backup in backups {
        if context.storage.blob(&policy_snapshot.storage, &backup.blob, context.now).await?.is_none() {
            let what = format!("backup {} is not in storage `{}`", backup.id, policy_snapshot.storage);
            return Err(
                Error::new(ErrorKind::Invalid, what).help("name the storage that holds it with --storage")
            );
        }
    }
    Ok(())
}

/// The operator action that puts a backup into the catalog.
pub(crate) fn adopting_run(
    backup: &BackupFacts,
    (app, policy_snapshot): (&App, &PolicySnapshot),
    (actor, now): (&Actor, Timestamp),
    rng: &mut fastrand::Rng,
) -> NewRun {
    let action =
        OperatorAction::TakenOver { backup: backup.clone(), storage: policy_snapshot.storage.clone() };
    NewRun::operator_action(RunId::new(now, rng), app, policy_snapshot, action, actor.clone(), now)
}
