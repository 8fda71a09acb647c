//! Steps on a real store in memory, with Azure and storage as the tests script them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod azure;
mod crashes;
mod deletions;
mod loops;
mod restores;
mod secrets;
mod steps;
mod storage;
mod store;
mod world;
