//! What only the SQLite store can get wrong.
#![cfg(test)]

mod filled;
mod opening;
mod statements;
mod tampering;
mod views;
