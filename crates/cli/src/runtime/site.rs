//! What the console's pages are served from.

use std::sync::Arc;

use holdfast_config::Fleet;
use holdfast_console::SiteParts;
use holdfast_control::audit::system_random;
use holdfast_control::views::actions::FleetBackups;
use holdfast_model::{Actor, Clock};
use holdfast_store::Store;

/// The parts of a site over this fleet file and store. `person` is who runs the process.
pub fn site_parts(fleet: &Fleet, store: &Arc<dyn Store>, clock: &Arc<dyn Clock>, person: Actor) -> SiteParts {
    SiteParts {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        policies: fleet.policies.clone(),
        backups: Arc::new(FleetBackups { fleet: fleet.clone(), store: Arc::clone(store) }),
        person,
        random: Arc::new(system_random()),
    }
}
