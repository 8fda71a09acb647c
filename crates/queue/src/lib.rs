#![doc = include_str!("../README.md")]

mod memory;
mod queue;

pub use memory::MemoryQueue;
pub use queue::{Delivery, Error, Message, Queue, Settle};
