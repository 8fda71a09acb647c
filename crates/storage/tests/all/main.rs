//! The real storage against a small blob server that answers as it is told.

mod grant;
mod look;
mod secrets;
mod server;
