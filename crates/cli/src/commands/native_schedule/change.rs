//! `holdfast native-schedule push` and `remove`: sets Azure's own schedules, or takes them away.

use std::collections::BTreeMap;

use anyhow::Context as _;
use holdfast_arm::Arm;
use holdfast_model::{
    App, AppId, NativeSchedule, NewRun, NewTask, PolicySnapshot, RunId, StorageName, Task, Timestamp, Trigger,
};

use super::show::words;
use super::{apps, found};
use crate::args::ChangeArgs;
use crate::commands::added;
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;
use crate::runtime::backends::Backends;
use holdfast_config::Fleet;
use holdfast_control::app_resolver;
use holdfast_control::counted;
use holdfast_control::{Error, ErrorKind};

const WRITE_ONE: &str = "write native_schedule = { every = \"7 days\" } into a policy of the fleet file";

/// Sets what the policies say.
pub async fn push(args: &ChangeArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let apps = apps(&args.apps, &fleet, &*backends.store, context).await?;
    let wanted = wanted(&apps, args.apps.all, &fleet)?;
    if wanted.is_empty() {
        let failure = Error::new(ErrorKind::Invalid, "no app has a policy with `native_schedule`");
        return Err(failure.help(WRITE_ONE).into());
    }
    let mut table = Table::new(["APP", "TO PUSH"]);
    for (app, schedule) in &wanted {
        table.row([app.id.short_name().into(), words(schedule).into()]);
    }
    context.out.message(&table.render(false, None));
    let fires = wanted.iter().filter(|(_, schedule)| schedule.enabled).count();
    if fires > 0 {
        context.out.message(&format!(
            "warning: Azure takes a backup at once when a schedule is enabled: up to {} now",
            counted(fires, "backup")
        ));
    }
    confirm::agreed(
        &format!("Set Azure's own schedule of {}?", counted(wanted.len(), "app")),
        args.going.yes,
        context,
    )?;
    let (now, mut rng) = (backends.store.now().await?, context.rng());
    let mut runs = Vec::new();
    for (app, schedule) in wanted {
        let (schedule, databases) = (Some(schedule.clone()), app.databases.clone());
        let task = Task::PushSchedule { schedule, databases, renews: None };
        runs.push(run(app, &app_resolver::policy_snapshot(app, &fleet)?, task, (now, context), &mut rng));
    }
    added::runs(&runs, (fleet, backends), args.going.wait, context, rng).await
}

/// Takes them away.
pub async fn remove(args: &ChangeArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet()?;
    let backends = Backends::open_beside(context).await?;
    let mut apps = apps(&args.apps, &fleet, &*backends.store, context).await?;
    let scheduled = scheduled(&apps, &*context.azure(&fleet)?).await?;
    apps.retain(|app| scheduled.contains_key(&app.id));
    if apps.is_empty() {
        context.out.message("nothing to remove: Azure has no schedule of its own there");
        return added::runs(&[], (fleet, backends), false, context, context.rng()).await;
    }
    let mut table = Table::new(["APP", "TO REMOVE"]);
    for (app, schedule) in &scheduled {
        table.row([app.short_name().into(), words(schedule).into()]);
    }
    context.out.message(&table.render(false, None));
    let question = format!("Take away Azure's own schedule of {}?", counted(apps.len(), "app"));
    confirm::agreed(&question, args.going.yes, context)?;
    let (now, mut rng) = (backends.store.now().await?, context.rng());
    // Nothing is stored for this, so an app in no policy can be rid of its schedule too.
    let policy_snapshot = |app| {
        app_resolver::policy_snapshot(app, &fleet)
            .unwrap_or_else(|_| PolicySnapshot::new(StorageName::new("none"), ""))
    };
    let nothing = Task::PushSchedule { schedule: None, databases: Vec::new(), renews: None };
    let remove = |app| run(app, &policy_snapshot(app), nothing.clone(), (now, context), &mut rng);
    let runs: Vec<NewRun> = apps.iter().map(remove).collect();
    added::runs(&runs, (fleet, backends), args.going.wait, context, rng).await
}

/// What Azure runs by itself, of the apps for which it runs something.
async fn scheduled(apps: &[App], arm: &dyn Arm) -> anyhow::Result<BTreeMap<AppId, NativeSchedule>> {
    let mut scheduled = BTreeMap::new();
    for app in apps {
        let found = found(arm, &app.id).await;
        let found =
            found.with_context(|| format!("failed to look for a schedule of {}", app.id.short_name()))?;
        scheduled.extend(found.map(|found| (app.id.clone(), found.schedule)));
    }
    Ok(scheduled)
}

/// What the policies say. An app that was named must have something; of all, those count that have.
fn wanted<'a>(
    apps: &'a [App],
    all: bool,
    fleet: &'a Fleet,
) -> Result<Vec<(&'a App, &'a NativeSchedule)>, Error> {
    let mut wanted = Vec::new();
    for app in apps {
        match schedule_of(app, fleet) {
            Some(schedule) => wanted.push((app, schedule)),
            None if all => {}
            None => {
                let what = format!("the policy of {} has no `native_schedule`", app.id.short_name());
                return Err(Error::new(ErrorKind::Invalid, what).help(WRITE_ONE));
            }
        }
    }
    Ok(wanted)
}

/// The schedule that an app should have by its policy.
pub fn schedule_of<'a>(app: &App, fleet: &'a Fleet) -> Option<&'a NativeSchedule> {
    fleet.policies.get(app.policy.as_ref()?)?.native_schedule.as_ref()
}

fn run(
    app: &App,
    policy_snapshot: &PolicySnapshot,
    task: Task,
    (now, context): (Timestamp, &Context),
    rng: &mut fastrand::Rng,
) -> NewRun {
    NewRun::task(
        RunId::new(now, rng),
        app,
        policy_snapshot,
        NewTask { task, trigger: Trigger::Manual, actor: Some(context.actor()) },
        now,
    )
}
