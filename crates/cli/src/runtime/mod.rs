//! Builds a process from its parts: backends, clients of Azure, the engine and its console.

pub mod backends;
pub mod checkpoints;
pub mod console;
pub mod engine;
pub mod logins;
mod role;
pub mod run_follower;
pub mod simulation;
pub mod site;
pub mod stop_signal;
pub mod wires;

pub use engine::{Engine, EngineParts};
pub use role::Role;
