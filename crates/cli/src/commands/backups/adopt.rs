//! `holdfast backups adopt`: puts backups that others took under retention.

use holdfast_control::adoption::{Adopted, AdoptionRequest, adopt};
use holdfast_control::counted;
use holdfast_model::StorageName;
use serde_json::json;

use crate::args::AdoptArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;

/// Runs the command.
pub async fn run(args: &AdoptArgs, context: &Context) -> anyhow::Result<Exit> {
    let (fleet, backends) = Backends::open_with_fleet(context).await?;
    let control = context.control(&fleet, &backends.store).await?;
    let AdoptArgs { app, ids, storage } = args.clone();
    let storage = storage.as_deref().map(StorageName::new);
    let request = AdoptionRequest { app, backups: ids, storage };
    let Adopted { app, storage, backups } = adopt(&control, &request, &mut context.rng()).await?;
    backends.store.close().await;
    let ids: Vec<i64> = backups.iter().map(|backup| backup.id.0).collect();
    let (count, name) = (counted(ids.len(), "backup"), app.short_name());
    context.out.show(&json!({ "app": app, "storage": storage, "taken_over": ids }), || {
        format!("{count} of {name} now in the catalog, in storage `{storage}`").into()
    })?;
    Ok(Exit::Done)
}
