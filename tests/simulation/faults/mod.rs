//! Faults of the processes: crashes and stalls at every await, failing store calls, lost and duplicated messages.

mod arm;
mod injector;
mod queue;
mod storage;
mod store;

pub(crate) use injector::{FaultCounts, FaultInjector, FaultRates, Faulty, LONGEST_STALL, pause};
