//! Tests of the views.

mod actions;
mod cache;
mod fixture;
mod fleet;
mod overview;
mod pages;
