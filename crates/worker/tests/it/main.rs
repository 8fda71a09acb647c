//! Steps on the memory store, with scripted answers of Azure and storage.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod catalog_checks;
mod crashes;
mod deletions;
mod fixtures;
mod forged_messages;
mod late_answers;
mod lost_restores;
mod receive_loop;
mod secrets;
mod steps;
mod stopped_processes;
