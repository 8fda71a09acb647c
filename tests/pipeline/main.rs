//! The distributed form under faults: schedulers and workers as processes, PostgreSQL, RabbitMQ, and Azure simulated
//! over HTTP. Processes and servers are killed, connections are cut and stalled, messages are purged; then the faults
//! stop, and every run that was due must have ended once.
//!
//! The program is the one that cargo built next to these tests; `HOLDFAST_BIN` overrides it. `HOLDFAST_SEED` selects
//! another order of faults. The order is reproducible; its effects are not.
#![cfg(test)]

mod all_faults;
mod bad_input;
mod counters;
mod embedded;
mod every_kind;
mod faults;
mod fleet;
mod forged_messages;
mod kinds;
mod kinds_against_azure;
mod limits;
mod operator;
mod outage;
mod pipeline_world;
mod process;
mod rolling;
mod secrets;
mod silent_subscription;
mod stopped_worker;
mod store_against_azure;
mod taking_up;
mod told;
mod wait;
