#![doc = include_str!("../README.md")]

mod amqp;
mod memory;
mod message;
mod queue;
mod topology;

pub use amqp::{
    AmqpQueue, CONSUMERS, Config, ConnectError, DeadLetter, DeadLetterError, DeadLetterSelection, DeadLetters,
};
pub use memory::MemoryQueue;
pub use message::Unreadable;
pub use queue::{Delivery, Error, Message, Queue, Settle};
pub use topology::{Exchange, Flag, Topology, Value};
