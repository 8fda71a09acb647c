//! Tokens and keys of a fake Entra.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod fake_issuer;
mod keys;
mod signer;
mod tokens;
