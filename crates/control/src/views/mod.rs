//! Answers for pages and programs: typed, and without markup.
//!
//! Pages about the whole fleet are pure functions of a [`FleetReading`]; pages about one app, one run, the activity or the audit
//! ask the store.

pub mod activity;
mod acts;
pub mod app;
mod app_facts;
pub mod audit_page;
mod cache;
pub mod cause_advice;
mod condition;
mod cursor;
mod day_mark;
pub mod fleet;
mod fleet_page;
mod fleet_url;
mod numbers;
pub mod overview;
mod overview_of;
mod reading;
pub mod run;
mod sentence;

pub use cache::{CachedReading, FleetCache};
pub use condition::{Condition, InvalidCondition, Severity};
pub use day_mark::{DayMark, DayResult};
pub use fleet_page::{fleet_page, matching};
pub use numbers::{grouped, in_words};
pub use overview_of::{doing, overview};
pub use reading::{DAYS, FleetReading};
