#![doc = include_str!("../README.md")]

pub mod checkpoints;
pub mod console;
pub mod dead_letters;
mod engine;
pub mod fleet_parts;
pub mod notifications;
mod role;
pub mod simulation;
pub mod take_up;
pub mod wires;
mod work;

pub use engine::{Engine, EngineParts, FleetChanger};
pub use role::Role;
