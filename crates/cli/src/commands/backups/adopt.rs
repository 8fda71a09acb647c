//! `holdfast backups adopt`: keeps house over backups that somebody else took.

use serde_json::json;

use super::{foreign, plan, tell_doubt};
use crate::args::AdoptArgs;
use crate::backends::Backends;
use crate::context::Context;
use crate::exit::Exit;
use crate::inventory::Inventory;
use crate::known;

/// Runs the command.
pub async fn run(args: &AdoptArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let store = &*backends.store;
    let app = known::app(&args.app, &fleet, store, context).await?;
    let arm = known::azure(&fleet, context)?;
    let inventory = Inventory::take(app, &fleet, store, &*arm).await?;
    tell_doubt(&inventory, context);
    let backups = plan::adoption(&inventory, &args.ids).map_err(|reasons| foreign::refused(&reasons))?;
    let app = &inventory.app;
    let terms = foreign::terms(app, args.storage.as_deref(), &fleet)?;
    foreign::find_blobs(&backups, &terms, &fleet, context).await?;
    let (now, mut rng) = (store.now().await?, context.rng());
    let note = |backup| foreign::taken_over(backup, (app, &terms), context.by(), now, &mut rng);
    let notes: Vec<_> = backups.iter().map(note).collect();
    store.add_runs(&notes).await?;
    store.close().await;
    if context.out.is_json() {
        let ids: Vec<i64> = backups.iter().map(|backup| backup.id.0).collect();
        context.out.json(&json!({ "app": app.id, "storage": terms.storage, "taken_over": ids }))?;
    } else {
        let (count, name) = (backups.len(), app.id.short_name());
        context.out.text(&format!(
            "{count} backups of {name} are in the catalog now, in storage `{}`",
            terms.storage
        ))?;
    }
    Ok(Exit::Done)
}
