//! Restores: everything that can be found wrong is found before anything is written.

mod choose;
mod databases;
mod existing_target;
mod gather;
mod plan;
mod request;
mod source;
mod target;

pub use choose::Wanted;
pub use databases::Databases;
pub use gather::plan;
pub use plan::{Blobs, NEVER_RESTORED, NewRestore, RestorePlan, RestoreTarget};
pub use request::{Purpose, RestoreRequest};
pub use source::RestoreSource;
pub use target::{Aim, Destination, aim};
