#![doc = include_str!("../README.md")]

pub mod console;
pub mod engine;
pub mod notifications;
mod role;
pub mod simulation;
pub mod wires;

pub use engine::{Engine, EngineParts};
pub use role::Role;
