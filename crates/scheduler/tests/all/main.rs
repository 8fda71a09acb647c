//! The three loops on a real store in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod dispatching;
mod house;
mod housekeeping;
mod loops;
mod planning;
mod renewals;
mod throttling;
mod world;
