//! What the console's pages are served from.

use std::sync::Arc;

use holdfast_config::Fleet;
use holdfast_console::{SiteFleet, SiteParts};
use holdfast_control::audit::system_random;
use holdfast_identity::EntraApplication;
use holdfast_model::Clock;
use holdfast_runtime::console::site_fleet;
use holdfast_runtime::take_up::{self, Follower};
use holdfast_store::Store;
use holdfast_telemetry::remember_secret;
use tokio::sync::watch;

use crate::context::Context;
use crate::runtime::checkpoints::to_stdout;

/// The parts of a site over this fleet and store, and what follows the fleet. Reads the credentials' secrets; sends nothing.
pub fn site_parts(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    context: &Context,
    entra: Option<EntraApplication>,
) -> anyhow::Result<(SiteParts, Follower)> {
    let entra = entra.map(|of| of.logins(fleet, clock, remember_secret)).transpose()?;
    let (of_store, of_clock, calls) = (Arc::clone(store), Arc::clone(clock), context.telemetry.calls());
    let mut rng = context.rng();
    let mut build = move |fleet: &Fleet| -> anyhow::Result<SiteFleet> {
        site_fleet(fleet, &of_store, &of_clock, &calls, (&mut rng, to_stdout))
    };
    let (sender, fleet) = watch::channel(Arc::new(build(fleet)?));
    let parts = SiteParts {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        fleet,
        person: context.actor(),
        random: Arc::new(system_random()),
        letters: context.dead_letters()?,
        entra,
    };
    Ok((parts, take_up::site(sender, build)))
}
