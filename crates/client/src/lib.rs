#![doc = include_str!("../README.md")]

mod acts;
mod login_file;
mod origin;
mod problem;
mod query;
mod reads;
mod server;
mod starts;
mod whoami;

pub use acts::AdoptedBackups;
pub use login_file::LoginFile;
pub use origin::Origin;
pub use reads::{AppBackups, Listed, ShownBackup};
pub use server::Server;
pub use starts::{BackupsOf, PlannedBackups, PlannedRestore, Started};
pub use whoami::WhoAmI;
