//! What the console's pages are served from.

use std::sync::Arc;

use holdfast_config::Fleet;
use holdfast_console::SiteParts;
use holdfast_control::audit::system_random;
use holdfast_control::operator_requests::LiveRequests;
use holdfast_control::views::actions::FleetBackups;
use holdfast_identity::EntraApplication;
use holdfast_model::Clock;
use holdfast_store::Store;
use holdfast_telemetry::remember_secret;

use crate::context::Context;
use holdfast_runtime::engine::{paced, storages};

/// The parts of a site over this fleet file and store. Reads the credentials' secrets; sends nothing.
pub fn site_parts(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    context: &Context,
    entra: Option<EntraApplication>,
) -> anyhow::Result<SiteParts> {
    let entra = entra.map(|of| of.logins(fleet, clock, remember_secret)).transpose()?;
    let mut rng = context.rng();
    let azure = LiveRequests {
        fleet: fleet.clone(),
        store: Arc::clone(store),
        arm: paced(fleet, store, clock, &context.telemetry.calls(), &mut rng)?,
        storage: storages(fleet, clock, rng)?,
        clock: Arc::clone(clock),
    };
    Ok(SiteParts {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        policies: fleet.into(),
        backups: Arc::new(FleetBackups { fleet: fleet.clone(), store: Arc::clone(store) }),
        azure: Arc::new(azure),
        person: context.actor(),
        random: Arc::new(system_random()),
        entra,
    })
}
