//! Wires the parts of a process together: backends, clouds and their credentials, the engine and its console.

pub mod backends;
mod call_observers;
pub mod clouds;
pub mod console;
pub mod engine;
mod fleet_keeper;
pub mod identities;
mod offset_clock;
mod role;
pub mod run_follower;
pub mod simulation;
pub mod stop_signal;

pub use call_observers::ArmCalls;
pub use engine::{Engine, Parts};
pub use offset_clock::OffsetClock;
pub use role::Role;
