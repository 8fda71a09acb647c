#![doc = include_str!("../README.md")]

mod acts;
mod address;
mod approvals;
mod audit;
mod letters;
mod login_file;
mod many;
mod problem;
mod query;
mod reads;
mod revisions;
mod server;
mod starts;
mod whoami;

pub use acts::AdoptedBackups;
pub use address::ServerAddress;
pub use approvals::Answered;
pub use login_file::LoginFile;
pub use many::PlannedRestores;
pub use reads::{AppBackups, Listed, ShownBackup};
pub use server::Server;
pub use starts::{BackupsOf, PlannedBackups, PlannedRestore, Started};
pub use whoami::WhoAmI;
