//! One module for each command.

pub mod added;
pub mod apps;
pub mod audit;
pub mod backup;
pub mod backups;
pub mod budgets;
pub mod bulk;
pub mod check;
pub mod dead_letters;
pub mod demo;
pub mod doctor;
pub mod effective;
pub mod follow;
pub mod freshness;
pub mod help;
pub mod history;
pub mod hold;
pub mod migrate;
pub mod native_schedule;
pub mod plan;
pub mod preview;
pub mod restore;
pub mod retention;
pub mod retry;
pub mod run;
pub mod sas;
pub mod show;
pub mod simulate;
pub mod status;
pub mod steer;
pub mod store;
pub mod take_over;
pub mod tokens;
pub mod verify;

mod outcome;
mod restore_plan;
