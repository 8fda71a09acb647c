//! Requests for restores and drills.

use holdfast_model::StorageName;
use serde::{Deserialize, Serialize};

use super::choose::Wanted;
use super::databases::Databases;
use super::plan_context::PlanContext;
use super::resolved::{Purpose, ResolvedRestore};
use super::target::{Aim, Destination, aim};
use crate::Error;

/// A request to restore a backup of an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreRequest {
    /// The app whose backup is restored, by its ARM id or short name.
    pub app: String,
    /// The backup.
    pub wanted: Wanted,
    /// Where it goes.
    pub destination: Destination,
    /// The App Service plan of a new app, by its ARM id; `None` for the source's own.
    pub plan: Option<String>,
    /// Whether an existing app may be replaced.
    pub overwrite: bool,
    /// What is restored of databases.
    pub databases: Databases,
    /// Leaves out host names that another app has.
    pub ignore_conflicting_host_names: bool,
    /// The storage that holds the backup, where the catalog does not say.
    pub storage: Option<StorageName>,
}

impl RestoreRequest {
    /// Resolves the names of the request to apps.
    pub(super) async fn resolve(self, context: &PlanContext<'_>) -> Result<ResolvedRestore, Error> {
        let source = context.app(&self.app).await?;
        let other = match &self.destination.to {
            Some(name) => Some(context.app(name).await?),
            None => None,
        };
        let aim = aim(&source.id, &self.destination, other.as_ref().map(|app| &app.id))?;
        let target = match &aim {
            Aim::Over(id) if *id == source.id => Some(source.clone()),
            Aim::Over(id) if other.is_none() => Some(context.app(&id.to_string()).await?),
            Aim::Over(_) | Aim::New(_) => other,
        };
        Ok(ResolvedRestore {
            source,
            wanted: self.wanted,
            aim,
            target,
            plan: self.plan,
            overwrite: self.overwrite,
            databases: self.databases,
            ignore_conflicting_host_names: self.ignore_conflicting_host_names,
            storage: self.storage,
            purpose: Purpose::Restore,
        })
    }
}
