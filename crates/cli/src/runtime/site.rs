//! What the console's pages are served from, and who backs up through them.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_config::Fleet;
use holdfast_console::{BackupActions, BackupRequest, SiteParts};
use holdfast_control::Error;
use holdfast_control::audit::system_random;
use holdfast_control::views::FleetReading;
use holdfast_control::views::actions::{
    BackupAction, BackupPreview, BackupsStarted, Selection, back_up, preview,
};
use holdfast_model::{Actor, Clock};
use holdfast_store::Store;

/// The parts of a site over this fleet file and store. `person` is who runs the process.
pub fn site_parts(fleet: &Fleet, store: &Arc<dyn Store>, clock: &Arc<dyn Clock>, person: Actor) -> SiteParts {
    SiteParts {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        policies: fleet.policies.clone(),
        backups: Arc::new(LocalBackups { fleet: fleet.clone(), store: Arc::clone(store) }),
        azure,
        person,
        random: Arc::new(system_random()),
    }
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
        let BackupRequest { selection, actor, key, asked_at } = request;
        let action = BackupAction { selection, actor, key, asked_at };
        back_up(&*self.store, &self.fleet, reading, &action).await
    }
}
