//! Builds a process from the command line's options: backends, logins, what it signs, serves and follows.

pub mod backends;
pub mod checkpoints;
pub mod logins;
pub mod run_follower;
pub mod server_follower;
pub mod site;
pub mod stop_signal;
