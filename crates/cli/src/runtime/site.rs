//! What the console's pages are served from, and who backs up through them.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_config::Fleet;
use holdfast_console::{BackupActions, BackupRequest, SiteParts};
use holdfast_control::Error;
use holdfast_control::audit::system_random;
use holdfast_control::operator_requests::LiveRequests;
use holdfast_control::views::FleetReading;
use holdfast_control::views::actions::{
    BackupAction, BackupPreview, BackupsStarted, Selection, back_up, preview,
};
use holdfast_model::Clock;
use holdfast_store::Store;

use crate::context::Context;
use crate::runtime::engine::{paced, storages};

/// The parts of a site over this fleet file and store. Reads the credentials' secrets; sends nothing.
pub fn site_parts(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    context: &Context,
) -> anyhow::Result<SiteParts> {
    let mut rng = context.rng();
    let azure = LiveRequests {
        fleet: fleet.clone(),
        store: Arc::clone(store),
        arm: paced(fleet, store, clock, &context.telemetry.calls(), &mut rng)?,
        storage: storages(fleet, clock, rng)?,
    };
    Ok(SiteParts {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        policies: fleet.policies.clone(),
        backups: Arc::new(LocalBackups { fleet: fleet.clone(), store: Arc::clone(store) }),
        azure: Arc::new(azure),
        person: context.actor(),
        random: Arc::new(system_random()),
    })
}

/// Backups that the user of this machine asks for.
struct LocalBackups {
    fleet: Fleet,
    store: Arc<dyn Store>,
}

#[async_trait]
impl BackupActions for LocalBackups {
    fn preview(&self, reading: &FleetReading, selection: &Selection) -> Result<BackupPreview, Error> {
        preview(reading, &self.fleet, selection)
    }

    async fn back_up(&self, reading: &FleetReading, request: BackupRequest) -> Result<BackupsStarted, Error> {
        let BackupRequest { selection, actor, key, asked_at, request, left_out } = request;
        let action = BackupAction { selection, actor, key, asked_at, request, left_out };
        back_up(&*self.store, &self.fleet, reading, &action).await
    }
}
