//! Answers that are not what they seem: pages of gateways and proxies, refusals without a reason, and unreadable lists.

use serde_json::{Value, json};

use super::envelope;
use crate::{Delivery, Response};

/// Statuses with which gateways and proxies refuse a request, or say that they do.
const STATUSES: [u16; 10] = [400, 401, 403, 404, 405, 407, 409, 413, 421, 451];

/// A proxy's page in the answer's place.
pub(super) fn page(status: u16) -> Response {
    Response { delivery: Delivery::Garbage, ..envelope::proxy_page(status) }
}

/// A gateway's page with a 4xx in the answer's place.
pub(super) fn refusal(rng: &mut fastrand::Rng) -> Response {
    page(STATUSES[rng.usize(..STATUSES.len())])
}

/// ARM's 403, as while a role is being assigned (code and shape from ARM's documentation).
pub(super) fn odd_forbidden() -> Response {
    envelope::arm(403, "AuthorizationFailed", "The client does not have authorization to perform the action.")
}

/// ARM's 404, as while a resource moves in its cache (code and shape from ARM's documentation).
pub(super) fn odd_not_found() -> Response {
    envelope::arm(404, "ResourceNotFound", "The Resource was not found.")
}

/// The list, without what a reader needs: the list itself, the ids, or the names of its elements.
pub(super) fn unreadable(list: Response, rng: &mut fastrand::Rng) -> Response {
    let Ok(mut body) = serde_json::from_slice::<Value>(&list.body) else { return list };
    if !list.is_success() {
        return list;
    }
    let missing: &[&str] = match rng.u8(..3) {
        0 => &["id"],
        1 => &["name", "backupName", "blobName"],
        _ => &[],
    };
    let items = body["value"].as_array_mut().filter(|items| !items.is_empty() && !missing.is_empty());
    match items {
        None => body["value"] = Value::Null,
        Some(items) => {
            for item in items {
                item["id"] = json!("");
                for key in missing {
                    item["properties"][*key] = Value::Null;
                }
            }
        }
    }
    Response { body: body.to_string().into_bytes(), ..list }
}
