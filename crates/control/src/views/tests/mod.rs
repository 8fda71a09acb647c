//! Tests of the views.

mod actions;
mod cache;
pub(super) mod fixture;
mod fleet;
mod overview;
mod pages;
