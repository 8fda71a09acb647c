//! Compares Azure's own schedules with the policies.

use holdfast_model::{AppId, NativeSchedule, NewRun, OperatorAction, RunId};
use holdfast_storage::WantedSchedule;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::change::schedule_of;
use super::observe::observe_all;
use crate::app_resolver::{AppSelection, policy_snapshot};
use crate::storages::container_named;
use crate::{ControlContext, Error};

/// How Azure's own schedule of an app differs from its policy.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct ScheduleDrift {
    /// The app.
    pub app: AppId,
    /// Azure's schedule.
    pub found: Option<NativeSchedule>,
    /// Each difference, as text.
    pub drift: Vec<String>,
    /// Why Azure did not answer.
    pub error: Option<String>,
}

impl ScheduleDrift {
    /// Whether Azure answered and nothing differs.
    pub fn is_good(&self) -> bool {
        self.drift.is_empty() && self.error.is_none()
    }
}

/// Compares the schedules of the apps with their policies, and records the results in the audit.
///
/// An app whose policy has no `native_schedule` has a result only where Azure has a schedule, or does not answer.
pub async fn drift(
    context: &ControlContext<'_>,
    apps: &AppSelection,
    rng: &mut fastrand::Rng,
) -> Result<Vec<ScheduleDrift>, Error> {
    let (now, mut results, mut records) = (context.now, Vec::new(), Vec::new());
    let mut apps = context.apps().select(apps).await?;
    apps.retain(|app| app.policy.is_some());
    for (app, found) in observe_all(&*context.arm, apps).await {
        let wanted = schedule_of(&app, context.fleet);
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                let error = Some(error.to_string());
                results.push(ScheduleDrift { app: app.id, found: None, drift: Vec::new(), error });
                continue;
            }
        };
        let policy_snapshot = policy_snapshot(&app, context.fleet)?;
        let container = container_named(context.fleet, &policy_snapshot.storage)?;
        let wanted_schedule =
            WantedSchedule { schedule: wanted, databases: &app.databases, container: Some(&container) };
        let drift = wanted_schedule.drift(found.as_ref(), now);
        if wanted.is_none() && drift.is_empty() {
            continue;
        }
        let found = found.map(|found| found.schedule);
        let action = OperatorAction::Drift { found: found.clone(), drift: drift.clone() };
        records.push(NewRun::operator_action(
            RunId::new(now, rng),
            &app,
            &policy_snapshot,
            action,
            context.actor.clone(),
            now,
        ));
        results.push(ScheduleDrift { app: app.id, found, drift, error: None });
    }
    context.store.add_runs(&records).await?;
    Ok(results)
}
