//! Who may have backups. The App Service documentation names the tiers; how Azure refuses the others nobody has
//! published, so status and words are ours.

use holdfast_model::AppId;

use super::bad_request;
use crate::Response;

/// Refuses what the tier does not allow: backups at all, or backups of slots.
pub(super) fn refuse(app: &AppId, tier: Option<&str>) -> Result<(), Response> {
    let tier = tier.unwrap_or("Standard");
    let allowed = match tier.to_ascii_lowercase().as_str() {
        "free" | "shared" | "dynamic" => false,
        "basic" => app.slot().is_none(),
        _ => true,
    };
    let message = format!("Backups are not available to this app in the pricing tier '{tier}'.");
    allowed.then_some(()).ok_or_else(|| bad_request(&message))
}
