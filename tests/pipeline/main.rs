//! The production form under trouble: schedulers and workers as processes, PostgreSQL, RabbitMQ, and Azure simulated
//! over HTTP. Processes and servers are killed, connections are cut and stalled, messages are thrown away; then the
//! trouble ends, and everything that was owed must have come to one end.
//!
//! The program is the one that cargo built beside these tests; `HOLDFAST_BIN` names another. `HOLDFAST_SEED` names
//! another storm: the list of adversities is made from it, what they meet is not.
#![cfg(test)]

mod bad_input;
mod chaos;
mod counters;
mod embedded;
mod errands;
mod every_kind;
mod fleet;
mod judge;
mod kept;
mod kinds;
mod limits;
mod outage;
mod process;
mod proxy;
mod rolling;
mod secrets;
mod storm;
mod wait;
mod world;
