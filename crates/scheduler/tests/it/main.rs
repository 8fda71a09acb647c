//! The three loops on a real store in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backups;
mod dispatching;
mod loops;
mod maintenance;
mod pauses;
mod planning;
mod renewals;
mod throttling;
mod world;
