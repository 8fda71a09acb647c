#![doc = include_str!("../README.md")]

mod arguments;
mod lax_files;
mod memory;
mod open_files;

pub use arguments::has_password;
pub use lax_files::lax_mode;
pub use memory::harden;
pub use open_files::raise_open_files;
