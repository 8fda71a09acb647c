//! The log of runs: one line for each thing that happened to a run, written after its commit.

mod added;
mod changed;
mod line;

pub use added::{missed_lines, recorded_line};
pub use changed::lines;
pub use line::Line;
