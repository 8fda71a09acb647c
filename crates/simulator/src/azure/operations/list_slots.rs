//! WebApps_ListSlots: the deployment slots of a site.

use holdfast_model::AppId;

use super::{Call, OperationResult, get_site, page, site_not_found};
use crate::FleetSite;
use crate::azure::Azure;

pub(super) fn perform(azure: &mut Azure, app: &AppId, call: &Call<'_>) -> OperationResult {
    if !azure.sites.contains_key(app) {
        return Err(site_not_found(app));
    }
    let slots_of_it = |facts: &&FleetSite| {
        let id = &facts.site.id;
        let production = AppId::new(id.subscription().as_str(), id.resource_group(), id.site(), None);
        id.slot().is_some() && production == *app
    };
    let slots = azure.sites.values().map(|site| &site.facts).filter(slots_of_it);
    let bodies = slots.map(|facts| get_site::body(facts, azure.restores.of_target(&facts.site.id)));
    Ok(page::answer(call.request, &azure.config, bodies))
}
