//! `holdfast backups adopt`: keeps house over backups that somebody else took.

use holdfast_model::StorageName;
use serde_json::json;

use super::tell_doubt;
use crate::args::AdoptArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;
use holdfast_control::{Inventory, adoption, counted, refused};

/// Runs the command.
pub async fn run(args: &AdoptArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let control = context.control(&fleet, store).await?;
    let inventory = Inventory::of(&args.app, &control).await?;
    tell_doubt(&inventory, context);
    let backups = adoption::adoption(&inventory, &args.ids).map_err(|reasons| refused(&reasons))?;
    let app = &inventory.app;
    adoption::refuse_scheduled(&inventory, &backups, &*control.arm).await?;
    let policy_snapshot =
        control.policy_snapshot(app, args.storage.as_deref().map(StorageName::new).as_ref())?;
    adoption::require_blobs(&backups, &policy_snapshot, &control).await?;
    let (now, mut rng) = (control.now, context.rng());
    let note = |backup| adoption::adopt(backup, (app, &policy_snapshot), context.actor(), now, &mut rng);
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
