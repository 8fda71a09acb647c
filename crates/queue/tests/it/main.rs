//! RabbitMQ as it is when things go wrong. What every queue must keep is in the contract.
#![cfg(test)]

mod bench;
mod broker;
mod dead_letters;
mod logins;
mod losses;
mod refusals;
mod traffic;
