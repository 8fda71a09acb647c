#![doc = include_str!("../README.md")]

mod permission;
mod principal;
mod role;

pub use permission::Permission;
pub use principal::{LoginMethod, Principal, Scope};
pub use role::Role;
