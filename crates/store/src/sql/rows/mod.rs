//! Rows of the tables: to and from the model.

pub(crate) mod app;
pub(crate) mod app_day;
pub(crate) mod cursor;
pub(crate) mod entry;
pub(crate) mod event;
pub(crate) mod key;
pub(crate) mod run;
