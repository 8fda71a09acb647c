//! What both SQL databases share: the operations, the mapping of rows, and the statements that both understand.
//!
//! A database brings a [`Session`](session::Session), its [`Dialect`](dialect::Dialect) and how it is opened.

pub(crate) mod arg;
pub(crate) mod dialect;
mod notifications;
pub(crate) mod reading;
pub(crate) mod resting;
pub(crate) mod row;
pub(crate) mod session;
pub(crate) mod store;
mod subscriptions;

mod acquire;
mod app_days;
mod approvals;
mod audit;
mod breakers;
mod budgets;
pub(crate) mod candidates;
mod catalog;
mod checkpoints;
mod commit;
mod cursors;
mod fleet;
mod holds;
mod insert;
mod instructions;
mod intents;
mod lanes;
mod listing;
mod load;
mod lock;
mod operations;
mod processes;
mod requests;
mod revisions;
mod rows;
mod run_rows;
mod run_write;
mod safeguards;
mod status;
mod tokens;
mod unreadable;
