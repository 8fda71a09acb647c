//! Requests that a second person confirms: which ask for the same, and what is stored of a new one.

use holdfast_model::Timestamp;

use crate::approvals::{Approval, Asked, Decision};
use crate::columns::stamp;

/// What becomes of a new request beside those about its app.
pub(crate) fn asked<'a>(
    existing: impl IntoIterator<Item = &'a Approval>,
    new: &Approval,
    now: Timestamp,
) -> Asked {
    let is_same = |old: &&Approval| {
        old.is_pending(now) && (old.kind, &old.app, &old.effect) == (new.kind, &new.app, &new.effect)
    };
    existing.into_iter().find(is_same).map_or(Asked::New, |old| Asked::Pending(old.id))
}

/// A new request as it is stored.
pub(crate) fn stored(new: &Approval, now: Timestamp) -> Approval {
    let (asked_at, expires_at) = (stamp(now), stamp(new.expires_at));
    Approval { asked_at, expires_at, decision: None, ..new.clone() }
}

/// A decision as it is stored.
pub(crate) fn decided(decision: &Decision, now: Timestamp) -> Decision {
    Decision { at: stamp(now), ..decision.clone() }
}
