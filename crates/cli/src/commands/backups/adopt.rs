//! `holdfast backups adopt`: keeps house over backups that somebody else took.

use holdfast_arm::{Arm, FoundSchedule};
use holdfast_model::BackupFacts;
use serde_json::json;

use super::{foreign, plan, tell_doubt};
use crate::args::AdoptArgs;
use crate::context::Context;
use crate::desk::Desk;
use crate::exit::{Exit, Failure};
use crate::inventory::Inventory;
use crate::output::counted;
use crate::runtime::backends::Backends;

/// Runs the command.
pub async fn run(args: &AdoptArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let desk = Desk::new(context, &fleet, store).await?;
    let inventory = Inventory::take(&args.app, &desk).await?;
    tell_doubt(&inventory, context);
    let backups = plan::adoption(&inventory, &args.ids).map_err(|reasons| foreign::refused(&reasons))?;
    let app = &inventory.app;
    are_left_alone(&inventory, &backups, &*desk.arm).await?;
    let policy_snapshot = foreign::policy_snapshot(app, args.storage.as_deref(), &desk)?;
    foreign::find_blobs(&backups, &policy_snapshot, &desk).await?;
    let (now, mut rng) = (desk.now, context.rng());
    let note = |backup| foreign::taken_over(backup, (app, &policy_snapshot), context.by(), now, &mut rng);
    let notes: Vec<_> = backups.iter().map(note).collect();
    store.add_runs(&notes).await?;
    store.close().await;
    if context.out.is_json() {
        let ids: Vec<i64> = backups.iter().map(|backup| backup.id.0).collect();
        context.out.json(&json!({ "app": app.id, "storage": policy_snapshot.storage, "taken_over": ids }))?;
    } else {
        let (count, name) = (counted(backups.len(), "backup"), app.id.short_name());
        context.out.text(&format!(
            "{count} of {name} now in the catalog, in storage `{}`",
            policy_snapshot.storage
        ))?;
    }
    Ok(Exit::Done)
}

/// Azure's own schedule deletes what it took by its own rule. A backup that may vanish must not stand in for one of ours.
async fn are_left_alone(inventory: &Inventory, backups: &[BackupFacts], arm: &dyn Arm) -> anyhow::Result<()> {
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
            let help = format!("`holdfast native-schedule remove {name}` ends that");
            Err(Failure::new(Exit::Usage, what).help(help).into())
        }
        _ => Ok(()),
    }
}
