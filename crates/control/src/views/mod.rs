//! Answers for pages and programs: typed, and without markup.
//!
//! Pages about the whole fleet are pure functions of a [`FleetReading`]; pages about one app, one run, the activity or the audit
//! ask the store.

pub mod actions;
pub mod activity;
mod activity_of;
mod acts;
pub mod app;
mod app_facts;
mod app_of;
mod audit_of;
pub mod audit_page;
mod cache;
pub mod cause_advice;
mod condition;
pub mod coverage;
mod cursor;
mod day_mark;
mod end_forecast;
pub mod fleet;
mod fleet_page;
mod fleet_read;
mod fleet_url;
mod numbers;
pub mod overview;
mod overview_of;
mod reading;
pub mod run;
mod run_of;
mod run_sentence;
mod sas_state;
mod sentence;
mod tag_facet;
#[cfg(test)]
mod tests;

pub use activity_of::activity;
pub use app_of::app_view;
pub use audit_of::{audit_page, row_asked};
pub use cache::{CachedReading, FleetCache};
pub use condition::{Condition, InvalidCondition, Severity};
pub use day_mark::{DayMark, DayResult};
pub use end_forecast::{EndForecast, end_forecasts};
pub use fleet_page::{fleet_page, matching};
pub use fleet_read::read_fleet;
pub use numbers::{grouped, in_words};
pub use overview_of::{doing, overview, with_ends};
pub use reading::{DAYS, FleetReading};
pub use run_of::run_view;
pub use sas_state::SasState;
