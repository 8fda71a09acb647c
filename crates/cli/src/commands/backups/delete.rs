//! `holdfast backups delete`: deletes backups, once somebody has seen which.

use holdfast_model::{
    BackupFacts, Delete, NewRun, NewTask, PolicySnapshot, RunId, Task, Trigger, format_timestamp,
};

use super::tell_doubt;
use crate::args::DeleteArgs;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, age, bytes};
use crate::runtime::backends::Backends;
use holdfast_control::ControlContext;
use holdfast_control::Inventory;
use holdfast_control::adoption;
use holdfast_control::counted;
use holdfast_control::deletion::{Allowed, DeletionPlan, deletion, newest_good};
use holdfast_control::refused;
use holdfast_model::StorageName;

/// Runs the command.
pub async fn run(args: &DeleteArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let control = context.control(&fleet, store).await?;
    let inventory = Inventory::of(&args.app, &control).await?;
    tell_doubt(&inventory, context);
    let allowed = Allowed { foreign: args.foreign, last: args.allow_last };
    let plan = deletion(&inventory, &args.ids, allowed).map_err(|reasons| refused(&reasons))?;
    let backups = with_terms(&plan, &inventory, args.storage.as_deref(), &control)?;
    if let Some((_, policy_snapshot)) = backups.iter().find(|(backup, _)| plan.foreign.contains(backup)) {
        adoption::require_blobs(&plan.foreign, policy_snapshot, &control).await?;
    }
    context.out.message(&table(&backups, &inventory).render(false, None));
    if let Some((newest, left)) = newest_good(&inventory, &plan) {
        let at = format_timestamp(left.backup.accepted_at);
        context.out.message(&format!(
            "warning: backup {newest} is the newest good one: without it the app can be brought back to {at} only"
        ));
    }
    let question =
        format!("Delete {} of {}?", counted(backups.len(), "backup"), inventory.app.id.short_name());
    confirm::agreed(&question, args.going.yes, context)?;
    let (now, mut rng) = (store.now().await?, context.rng());
    let (app, by) = (&inventory.app, context.actor());
    let mut runs = Vec::new();
    for (backup, policy_snapshot) in &backups {
        if plan.foreign.contains(backup) {
            runs.push(adoption::adopt(backup, (app, policy_snapshot), by.clone(), now, &mut rng));
        }
        let task = Task::Delete(Delete {
            backup: backup.id,
            blob: backup.blob.clone(),
            allow_last: args.allow_last,
        });
        let asked = NewTask { task, trigger: Trigger::Manual, actor: Some(by.clone()) };
        runs.push(NewRun::task(RunId::new(now, &mut rng), app, policy_snapshot, asked, now));
    }
    added::runs(&runs, (fleet, backends), args.going.wait, context, rng).await
}

/// Each backup with the policy snapshot it is deleted under: the SAS that Azure deletes it with is one for where it lies.
fn with_terms(
    plan: &DeletionPlan,
    inventory: &Inventory,
    storage: Option<&str>,
    control: &ControlContext<'_>,
) -> anyhow::Result<Vec<(BackupFacts, PolicySnapshot)>> {
    let app = &inventory.app;
    let mut backups = Vec::new();
    for entry in &plan.known {
        backups.push((entry.backup.clone(), control.policy_snapshot(app, Some(&entry.storage))?));
    }
    for backup in &plan.foreign {
        backups.push((backup.clone(), control.policy_snapshot(app, storage.map(StorageName::new).as_ref())?));
    }
    Ok(backups)
}

fn table(backups: &[(BackupFacts, PolicySnapshot)], inventory: &Inventory) -> Table {
    let mut table = Table::new(["TO DELETE", "BLOB", "CREATED", "SIZE", "STORAGE"]);
    for (backup, policy_snapshot) in backups {
        table.row([
            backup.id.to_string().into(),
            backup.blob.as_str().into(),
            age(backup.accepted_at, inventory.now).into(),
            bytes(backup.size_bytes).into(),
            policy_snapshot.storage.as_str().into(),
        ]);
    }
    table
}
