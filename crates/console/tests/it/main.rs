//! The console over HTTP.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod http;
mod pages;
mod standing;
