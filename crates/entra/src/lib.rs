#![doc = include_str!("../README.md")]

mod claims;
mod entra;
mod error;
mod exchange;
mod issuer;
mod jws;
mod key_set;
mod login;
mod metadata;
mod object;
mod refusal;
mod settings;

pub use entra::Entra;
pub use error::{Error, Unavailable};
pub use login::LoginAttempt;
pub use refusal::Refusal;
pub use settings::{ClientSecret, InvalidSettings, Settings};
