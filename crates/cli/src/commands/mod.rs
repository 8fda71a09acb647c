//! One module for each command.

pub mod apps;
pub mod audit;
pub mod backup;
pub mod check;
pub mod dead;
pub mod demo;
pub mod doctor;
pub mod drill;
pub mod history;
pub mod migrate;
pub mod preview;
pub mod restore;
pub mod run;
pub mod sas;
pub mod show;
pub mod simulate;
pub mod status;

mod view;

pub use view::{RunView, state_cell};
