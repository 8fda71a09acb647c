//! What only one store, or its database, can get wrong.
#![cfg(test)]

mod filled;
mod opening;
mod others;
mod postgres;
mod statements;
mod tampering;
mod views;
