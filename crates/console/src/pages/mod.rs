//! The pages. Each is one file: what it reads, and how that is shown; its markup is in `templates/`.

mod activity;
mod activity_url;
pub mod acts;
mod app;
pub mod approvals;
mod audit;
pub mod audit_export;
pub mod backups;
mod capacity;
pub mod coverage;
pub mod entra;
pub mod export;
mod facets;
mod facts;
mod fleet;
pub mod login;
pub mod many;
pub mod many_holds;
mod overview;
mod person;
pub mod restore;
mod run;
mod run_rows;
pub mod verifications;

pub use activity::activity;
pub use activity_url::{from_url as activity_query, to_url as activity_url};
pub use app::app;
pub use audit::{audit, from_url as audit_query, to_url as audit_url};
pub use capacity::capacity;
pub use fleet::fleet;
pub use overview::overview;
pub use run::run;
