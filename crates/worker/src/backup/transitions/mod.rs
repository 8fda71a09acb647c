//! What follows from the answers to a backup run. Pure.

mod polled;
mod started;
mod verified;

pub(super) use polled::{PollAnswer, polled};
pub(super) use started::{posted, reconciled, recorded, turned_up};
pub(super) use verified::verified;
