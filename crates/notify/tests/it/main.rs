//! Notifications over a store in memory, and channels against local receivers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod channels;
mod delivery;
mod heartbeat;
mod mail;
mod receiver;
mod silences;
mod told;
mod versions;
mod world;
