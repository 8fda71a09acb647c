#![doc = include_str!("../README.md")]

mod amqp;
mod buffer;
mod memory;
mod message;
mod queue;
mod topology;

pub use amqp::{
    AmqpQueue, BrokerWire, CONSUMERS, Config, ConnectError, DeadLetter, DeadLetterError, DeadLetterSelection,
    DeadLetters, broker_wire,
};
pub use memory::MemoryQueue;
pub use message::{Unreadable, decode};
pub use queue::{Acker, Delivery, Error, Message, Queue};
pub use topology::{Argument, Exchange, Topology, Value};
