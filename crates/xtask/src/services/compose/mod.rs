//! The servers as containers, where the machine has an engine and not the programs.

mod argv;
mod engine;
mod project;
mod settings;

pub use engine::{Engine, find};
pub use project::Project;
