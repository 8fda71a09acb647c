//! Restores and deletions that one person asks for and a second person confirms.

mod ask;
mod decide;
mod request;
mod second_person;
mod view;

pub use holdfast_config::FourEyes;

pub use ask::{Started, StartedOnce, Wish, ask};
pub use decide::{Confirmed, Replanned, confirm, decline, is_asker, replan, withdraw};
pub use request::{ApprovalRequest, Effect, LONGEST, apps, expiry, named, restore_effect};
pub use view::{ApprovalView, DecisionView, EffectLine, waits};
