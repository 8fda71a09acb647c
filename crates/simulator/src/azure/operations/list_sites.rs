//! WebApps_List: the sites of a subscription, without their slots.

use holdfast_model::SubscriptionId;

use super::{Call, OperationResult, get_site, page};
use crate::FleetSite;
use crate::azure::{Azure, envelope};

pub(super) fn perform(azure: &mut Azure, subscription: &SubscriptionId, call: &Call<'_>) -> OperationResult {
    let mut of_subscription =
        azure.sites.values().filter(|s| s.facts.site.id.subscription() == subscription).peekable();
    if of_subscription.peek().is_none() {
        let message = format!("The subscription '{subscription}' could not be found.");
        return Err(envelope::arm(404, "SubscriptionNotFound", &message));
    }
    let body = |facts: &FleetSite| get_site::body(facts, azure.restores.of_target(&facts.site.id));
    let sites = of_subscription.filter(|s| s.facts.site.id.slot().is_none()).map(|s| body(&s.facts));
    Ok(page::answer(call.request, &azure.config, sites))
}
