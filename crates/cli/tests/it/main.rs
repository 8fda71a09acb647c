//! The program as its users run it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod anchor;
mod answers;
mod api_description;
mod azure_sdk;
mod backups;
mod bad_rows;
mod collector;
mod command;
mod console_pages;
mod dead_letters;
mod deploy;
mod doctor;
mod documented;
mod kill;
mod lapsed;
mod listener;
mod logins;
mod mailing;
mod manners;
mod many;
mod native_schedules;
mod prompts;
mod proxies;
mod restoring;
mod revisions;
mod sas;
mod server;
mod simulated;
mod steering;
mod taking_over;
mod telemetry;
mod terminals;
mod tokens;
mod waiting;
mod wires;
