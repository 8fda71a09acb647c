//! The tiers with backups, from the App Service documentation. No refusal of another tier is published, so its status
//! and words are ours.

use holdfast_model::AppId;

use super::bad_request;
use crate::Response;

/// Refuses backups, or backups of slots, that the tier does not include.
pub(super) fn refuse(app: &AppId, tier: Option<&str>) -> Result<(), Response> {
    let tier = tier.unwrap_or("Standard");
    let allowed = match tier.to_ascii_lowercase().as_str() {
        "free" | "shared" | "dynamic" | "flexconsumption" | "elasticpremium" | "workflowstandard" => false,
        "basic" => app.slot().is_none(),
        _ => true,
    };
    let message = format!("Backups are not available to this app in the pricing tier '{tier}'.");
    allowed.then_some(()).ok_or_else(|| bad_request(&message))
}
