//! What only one store, or its database, can get wrong.
#![cfg(test)]

mod history;
mod opening;
mod postgres;
mod statements;
mod tampering;
mod tasks_and_actions;
mod unreadable_rows;
mod views;
