#![doc = include_str!("../README.md")]

mod backup;
mod blob_sizes;
mod bulkheads;
mod calls;
mod check_catalog;
mod decide;
mod deferral;
mod delete;
mod deletions;
mod ending;
mod environment;
mod error;
#[cfg(test)]
mod fixtures;
mod intent;
mod look;
mod native_schedule;
mod next;
mod not_ready;
mod pauses;
mod polling;
mod preparation;
mod reconcile;
mod refresh_sas;
mod request_failed;
mod restore;
mod send_window;
mod step;
mod step_context;
mod step_input;
mod step_observer;
mod step_plan;
mod step_result;
mod store_time;
mod watched_storage;
mod worker;

pub use bulkheads::{Bulkheads, Compartment, Tenants};
pub use environment::{Environment, Settings};
pub use error::Error;
pub use step::step;
pub use step_observer::{NoopStepObserver, StepObserver};
pub use step_result::{StepResult, Stepped};
pub use worker::Worker;
