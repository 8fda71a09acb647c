//! Takes over what is there: a fleet file's apps, policies and storages from Azure's own schedules, from a Terraform state, or
//! from a table of apps.

mod app_table;
mod cadence;
mod container_patterns;
mod draft;
mod drafting;
mod look;
mod policy_groups;
mod render;
mod storage_names;
mod subscriptions;
mod summary;
mod terraform;
mod write;

pub use app_table::from_csv;
pub use draft::{
    DraftApp, DraftDatabase, DraftPolicy, DraftStorage, FleetDraft, LeftOut, Remark, SecretToSet,
};
pub use drafting::{DraftOptions, draft};
pub use look::{FoundApp, Look, look};
pub use render::{AZURE_CLI, fleet_file, fragment};
pub use storage_names::SasChoice;
pub use subscriptions::{DisabledSubscription, SeenSubscriptions, SubscriptionName, seen_subscriptions};
pub use summary::{contents, gaps, summary};
pub use terraform::from_terraform;
pub use write::{check_new, write_new};

#[cfg(test)]
mod tests;
