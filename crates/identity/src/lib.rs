#![doc = include_str!("../README.md")]

mod arm_clients;
mod entra_login;
mod error;
mod identities;
mod remembering;
mod scope_tokens;

pub use arm_clients::{arm_clients, scope, section, token_timeout};
pub use entra_login::EntraApplication;
pub use error::Error;
pub use identities::Identities;
pub use remembering::{Remember, RememberingStorage};
pub use scope_tokens::ScopeTokens;
