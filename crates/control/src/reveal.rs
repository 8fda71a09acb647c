//! Reveals the SAS that Azure keeps with a backup.

use holdfast_model::{NewRun, OperatorAction, PolicySnapshot, RunId, StorageName};
use secrecy::SecretString;

use crate::inventory::{Inventory, Item};
use crate::{Context as _, ControlContext, Error, ErrorKind};

/// The URL with the SAS that Azure keeps with the backup.
///
/// The audit records who asks before Azure is asked; when it cannot, nothing is revealed.
pub async fn reveal(
    context: &ControlContext<'_>,
    inventory: &Inventory,
    item: &Item,
    rng: &mut fastrand::Rng,
) -> Result<SecretString, Error> {
    let (app, id, now) = (&inventory.app, item.id, inventory.now);
    let storage = item.entry.as_ref().map(|entry| entry.storage.clone());
    // An operator action sends nothing: of its policy snapshot only the backup's storage means something.
    let policy_snapshot = PolicySnapshot::new(storage.unwrap_or_else(|| StorageName::new("unknown")), "");
    let (action, actor) = (OperatorAction::Revealed { backup: id }, context.actor.clone());
    let record = NewRun::operator_action(RunId::new(now, rng), app, &policy_snapshot, action, actor, now);
    let recorded = context.store.add_run(&record).await;
    recorded.context("the SAS is not shown, because the audit could not record who asks for it")?;
    let secrets = context.arm.backup_secrets(&app.id, id, None).await?;
    let missing = || Error::new(ErrorKind::Refused, format!("Azure's answer about backup {id} has no SAS"));
    secrets.storage_url.ok_or_else(missing)
}
