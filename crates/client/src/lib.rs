#![doc = include_str!("../README.md")]

mod login_file;
mod origin;
mod problem;
mod query;
mod reads;
mod server;
mod whoami;

pub use login_file::LoginFile;
pub use origin::Origin;
pub use reads::{AppBackups, Listed, ShownBackup};
pub use server::Server;
pub use whoami::WhoAmI;
