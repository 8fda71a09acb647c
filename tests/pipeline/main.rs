//! The production form under trouble: schedulers and workers as processes, PostgreSQL, RabbitMQ, and Azure simulated
//! over HTTP. Processes and servers are killed, connections are cut and stalled, messages are thrown away; then the
//! trouble ends, and everything that was owed must have come to one end.
#![cfg(test)]

mod bad_input;
mod chaos;
mod counters;
mod fleet;
mod judge;
mod limits;
mod outage;
mod process;
mod proxy;
mod rolling;
mod storm;
mod wait;
mod world;
