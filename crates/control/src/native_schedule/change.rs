//! Sets Azure's own schedules as the policies say, or removes them.

use holdfast_config::Fleet;
use holdfast_model::{App, NativeSchedule, PolicySnapshot, StorageName, Task};

use super::observe::observe_all;
use crate::added_runs::{AddedRuns, add_runs, requested_run};
use crate::app_resolver::{AppSelection, policy_snapshot};
use crate::{Context as _, ControlContext, Error, ErrorKind};

const ADD_ONE: &str = "add native_schedule = { every = \"7 days\" } to a policy of the fleet file";

/// An app with a schedule: the one to set, or the one to remove.
#[derive(Debug)]
pub struct AppSchedule {
    /// The app.
    pub app: App,
    /// The schedule.
    pub schedule: NativeSchedule,
}

/// The schedules that the policies of the apps ask for.
///
/// Fails when the policy of a named app asks for none, or when none of all apps has one.
pub async fn plan_push(context: &ControlContext<'_>, apps: &AppSelection) -> Result<Vec<AppSchedule>, Error> {
    let resolved = context.apps().select(apps).await?;
    push_plan(resolved, *apps == AppSelection::All, context.fleet)
}

/// Adds a run for each app of the plan, which sets its schedule.
pub async fn push(
    context: &ControlContext<'_>,
    plan: &[AppSchedule],
    rng: &mut fastrand::Rng,
) -> Result<AddedRuns, Error> {
    let by = (&context.actor, context.store.now().await?);
    let mut runs = Vec::new();
    for AppSchedule { app, schedule } in plan {
        let (schedule, databases) = (Some(schedule.clone()), app.databases.clone());
        let task = Task::PushSchedule { schedule, databases, renews: None };
        runs.push(requested_run((app, &policy_snapshot(app, context.fleet)?), task, by, rng));
    }
    add_runs(context.store, &runs).await
}

/// The schedules that Azure has of the apps.
pub async fn plan_removal(
    context: &ControlContext<'_>,
    apps: &AppSelection,
) -> Result<Vec<AppSchedule>, Error> {
    let mut plan = Vec::new();
    for (app, found) in observe_all(&*context.arm, context.apps().select(apps).await?).await {
        let what = || format!("failed to ask Azure for the schedule of {}", app.id.short_name());
        if let Some(found) = found.with_context(what)? {
            plan.push(AppSchedule { app, schedule: found.schedule });
        }
    }
    Ok(plan)
}

/// Adds a run for each app of the plan, which removes its schedule.
pub async fn remove(
    context: &ControlContext<'_>,
    plan: &[AppSchedule],
    rng: &mut fastrand::Rng,
) -> Result<AddedRuns, Error> {
    let by = (&context.actor, context.store.now().await?);
    let task = Task::PushSchedule { schedule: None, databases: Vec::new(), renews: None };
    let mut runs = Vec::new();
    for AppSchedule { app, .. } in plan {
        // A removal writes to no storage, so an app in no policy can have its schedule removed too.
        let policy_snapshot = policy_snapshot(app, context.fleet)
            .unwrap_or_else(|_| PolicySnapshot::new(StorageName::new("none"), ""));
        runs.push(requested_run((app, &policy_snapshot), task.clone(), by, rng));
    }
    add_runs(context.store, &runs).await
}

/// The schedule that the app's policy asks for.
pub(super) fn schedule_of<'f>(app: &App, fleet: &'f Fleet) -> Option<&'f NativeSchedule> {
    fleet.policies.get(app.policy.as_ref()?)?.native_schedule.as_ref()
}

fn push_plan(apps: Vec<App>, all: bool, fleet: &Fleet) -> Result<Vec<AppSchedule>, Error> {
    let mut plan = Vec::new();
    for app in apps {
        match schedule_of(&app, fleet).cloned() {
            Some(schedule) => plan.push(AppSchedule { app, schedule }),
            None if all => {}
            None => {
                let what = format!("the policy of {} has no `native_schedule`", app.id.short_name());
                return Err(Error::new(ErrorKind::Invalid, what).help(ADD_ONE));
            }
        }
    }
    if plan.is_empty() {
        let what = "no app has a policy with `native_schedule`";
        return Err(Error::new(ErrorKind::Invalid, what).help(ADD_ONE));
    }
    Ok(plan)
}
