//! `holdfast backups adopt`: puts backups that others took under retention.

use holdfast_client::{AdoptedBackups, Server};
use holdfast_control::adoption::{Adopted, AdoptionRequest, adopt};
use holdfast_control::{Error, counted};
use holdfast_model::StorageName;
use serde_json::json;

use crate::args::AdoptArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::place::Request;
use crate::runtime::backends::Backends;

/// Runs the command.
pub async fn run(args: &AdoptArgs, context: &Context) -> anyhow::Result<Exit> {
    let AdoptArgs { app, ids, storage } = args.clone();
    let storage = storage.as_deref().map(StorageName::new);
    let request = AdoptionRequest { app, backups: ids, storage };
    let AdoptedBackups { app, storage, backups: ids } = context.ask(&request).await?;
    let (count, name) = (counted(ids.len(), "backup"), app.short_name());
    context.out.show(&json!({ "app": app, "storage": storage, "taken_over": ids }), || {
        format!("{count} of {name} now in the catalog, in storage `{storage}`").into()
    })?;
    Ok(Exit::Done)
}

impl Request for AdoptionRequest {
    type Answer = AdoptedBackups;

    async fn here(&self, context: &Context) -> anyhow::Result<AdoptedBackups> {
        let fleet = context.fleet()?;
        let backends = Backends::open_beside(context).await?;
        let control = context.control(&fleet, &backends.store).await?;
        let Adopted { app, storage, backups } = adopt(&control, self, &mut context.rng()).await?;
        backends.store.close().await;
        Ok(AdoptedBackups { app, storage, backups: backups.iter().map(|backup| backup.id).collect() })
    }

    async fn there(&self, server: &Server) -> Result<AdoptedBackups, Error> {
        server.adopt(self).await
    }
}
