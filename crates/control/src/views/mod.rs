//! Answers for pages and programs: typed, and without markup.
//!
//! Pages about the whole fleet are pure functions of a [`FleetReading`]; pages about one app, one run, the activity or the audit
//! ask the store.

pub mod activity;
mod acts;
pub mod app;
pub mod audit_page;
mod condition;
mod day_mark;
pub mod fleet;
mod fleet_url;
pub mod overview;
mod reading;
pub mod run;

pub use condition::{Condition, InvalidCondition, Severity};
pub use day_mark::{DayMark, DayResult};
pub use reading::{DAYS, FleetReading};
