//! The tests' servers in containers, against a double of the engine that records what it is told.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod compose;
mod engine;
