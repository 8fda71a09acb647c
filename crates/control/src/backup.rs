//! Backups on demand.

use holdfast_model::{NewRun, PolicyName, Task};

use crate::added_runs::{AddedRuns, add_runs, requested_run};
use crate::app_resolver::{AppSelection, policy_snapshot};
use crate::{ControlContext, Error};

/// A request to back up apps now.
#[derive(Debug)]
pub struct BackupRequest {
    /// The apps, each of which is backed up once.
    pub apps: AppSelection,
    /// The policy to use; `None` for each app's own.
    pub policy: Option<PolicyName>,
}

/// Adds a backup run for each app, or none when one of them cannot be backed up.
pub async fn start(
    context: &ControlContext<'_>,
    request: &BackupRequest,
    rng: &mut fastrand::Rng,
) -> Result<AddedRuns, Error> {
    let apps = context.apps().select_supported(&request.apps).await?;
    let now = context.store.now().await?;
    let mut runs: Vec<NewRun> = Vec::new();
    for mut app in apps {
        if let Some(name) = &request.policy {
            app.policy = Some(name.clone());
        }
        let policy_snapshot = policy_snapshot(&app, context.fleet)?;
        let task = Task::Backup { databases: app.databases.clone() };
        runs.push(requested_run((&app, &policy_snapshot), task, (&context.actor, now), rng));
    }
    add_runs(context.store, &runs).await
}
