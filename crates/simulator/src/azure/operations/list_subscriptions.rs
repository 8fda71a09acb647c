//! Subscriptions_List: the subscriptions with sites, without those that moved to another tenant.

use std::collections::BTreeSet;

use holdfast_model::AppId;
use serde_json::json;

use super::{Call, page};
use crate::Response;
use crate::azure::Azure;

pub(super) fn perform(azure: &Azure, call: &Call<'_>) -> Response {
    let of_sites = azure.sites.keys().map(AppId::subscription);
    let seen: BTreeSet<_> = of_sites.filter(|subscription| !azure.moved.contains(*subscription)).collect();
    let body = |subscription| {
        json!({
            "id": format!("/subscriptions/{subscription}"), "authorizationSource": "RoleBased",
            "subscriptionId": subscription, "displayName": format!("Simulated {subscription}"), "state": "Enabled",
        })
    };
    page::answer(call.request, &azure.config, seen.into_iter().map(body))
}
