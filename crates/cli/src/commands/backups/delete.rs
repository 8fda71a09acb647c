//! `holdfast backups delete`: deletes backups, once somebody has seen which.

use holdfast_model::{
    BackupFacts, Delete, NewRun, NewTask, PolicySnapshot, RunId, Task, Trigger, format_timestamp,
};

use super::plan::{Allowed, DeletionPlan};
use super::{foreign, plan, tell_doubt};
use crate::args::DeleteArgs;
use crate::backends::Backends;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::inventory::Inventory;
use crate::output::{Table, age, bytes, counted};

/// Runs the command.
pub async fn run(args: &DeleteArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let desk = Desk::new(context, &fleet, store).await?;
    let inventory = Inventory::take(&args.app, &desk).await?;
    tell_doubt(&inventory, context);
    let allowed = Allowed { foreign: args.foreign, last: args.allow_last };
    let plan =
        plan::deletion(&inventory, &args.ids, allowed).map_err(|reasons| foreign::refused(&reasons))?;
    let backups = with_terms(&plan, &inventory, args.storage.as_deref(), &desk)?;
    if let Some((_, policy_snapshot)) = backups.iter().find(|(backup, _)| plan.foreign.contains(backup)) {
        foreign::find_blobs(&plan.foreign, policy_snapshot, &desk).await?;
    }
    context.out.message(&table(&backups, &inventory).render(false, None));
    if let Some((newest, left)) = plan::newest_good(&inventory, &plan) {
        let at = format_timestamp(left.backup.accepted_at);
        context.out.message(&format!(
            "warning: backup {newest} is the newest good one: without it the app can be brought back to {at} only"
        ));
    }
    let question =
        format!("Delete {} of {}?", counted(backups.len(), "backup"), inventory.app.id.short_name());
    confirm::agreed(&question, args.going.yes, context)?;
    let (now, mut rng) = (store.now().await?, context.rng());
    let (app, by) = (&inventory.app, context.by());
    let mut runs = Vec::new();
    for (backup, policy_snapshot) in &backups {
        if plan.foreign.contains(backup) {
            runs.push(foreign::taken_over(backup, (app, policy_snapshot), by.clone(), now, &mut rng));
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
    desk: &Desk<'_>,
) -> anyhow::Result<Vec<(BackupFacts, PolicySnapshot)>> {
    let app = &inventory.app;
    let mut backups = Vec::new();
    for entry in &plan.known {
        backups.push((entry.backup.clone(), desk.policy_snapshot(app, Some(&entry.storage))?));
    }
    for backup in &plan.foreign {
        backups.push((backup.clone(), foreign::policy_snapshot(app, storage, desk)?));
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
