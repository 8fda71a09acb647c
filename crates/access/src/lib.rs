#![doc = include_str!("../README.md")]

mod permission;
mod principal;
mod role;
mod token;

pub use permission::Permission;
pub use principal::{LoginMethod, Principal, Scope};
pub use role::{InvalidRole, Role};
pub use token::{ApiToken, NoToken, TokenRefusal, TokenText};
