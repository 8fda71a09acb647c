//! What restoring many apps will do: each as it would be planned alone.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use holdfast_model::{App, AppId, Run, RunKind};
use holdfast_store::RunFilter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::request::{APPS_MAX, ManyRestores};
use super::targets::aims;
use crate::app_resolver::AppSelection;
use crate::restore::drill::DrillRequest;
use crate::restore::gather::gather;
use crate::restore::plan::RestorePlan;
use crate::restore::plan_context::PlanContext;
use crate::restore::resolved::ResolvedRestore;
use crate::restore::target::Aim;
use crate::views::actions::LeftOut;
use crate::wording::counted;
use crate::{ControlContext, Error, ErrorKind};

/// Plans that are made at once.
const AT_ONCE: usize = 16;

/// What restoring many apps will do.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct ManyPlan {
    /// Restores or drills.
    pub kind: RunKind,
    /// The number of selected apps.
    pub selected: usize,
    /// What starts.
    pub starts: Vec<RestorePlan>,
    /// Apps that are left out, each with the reason.
    pub left_out: Vec<LeftOut>,
    /// Warnings to read before the confirmation, beside those of each app.
    pub warnings: Vec<String>,
}

/// Plans restores or drills of many apps. An app that cannot be restored now is left out with the reason.
///
/// Fails where the request is wrong for all of them, or the store fails.
pub async fn plan_many(context: &ControlContext<'_>, request: &ManyRestores) -> Result<ManyPlan, Error> {
    request.check()?;
    let shared = PlanContext::new(context).await?;
    let sources = sources(&shared, request).await?;
    let ids: Vec<AppId> = sources.iter().map(|app| app.id.clone()).collect();
    let shared = shared.with_backups(&ids).await?;
    let planned: Vec<Result<RestorePlan, Error>> = if request.kind() == RunKind::Drill {
        let drills = sources.into_iter().map(|app| drill(&shared, request, app));
        futures::stream::iter(drills).buffered(AT_ONCE).collect().await
    } else {
        let aims = aims(&ids, &request.to)?;
        let restores = sources.into_iter().zip(aims).map(|(app, aim)| restore(&shared, request, app, aim));
        futures::stream::iter(restores).buffered(AT_ONCE).collect().await
    };
    let filter = RunFilter { kind: Some(request.kind()), unfinished: true, ..RunFilter::default() };
    let unfinished = context.store.runs(&filter).await?;
    assembled(request.kind(), ids.into_iter().zip(planned).collect(), &unfinished)
}

/// The plan of what was planned for each app. Pure.
fn assembled(
    kind: RunKind,
    planned: Vec<(AppId, Result<RestorePlan, Error>)>,
    unfinished: &[Run],
) -> Result<ManyPlan, Error> {
    let selected = planned.len();
    let (mut starts, mut left_out): (Vec<RestorePlan>, Vec<LeftOut>) = (Vec::new(), Vec::new());
    for (app, planned) in planned {
        match planned {
            Ok(plan) if unfinished.iter().any(|run| plan.repeats(run)) => {
                let why = format!("the same {kind} into {} is under way", plan.word());
                left_out.push(LeftOut { app, why });
            }
            Ok(plan) => starts.push(plan),
            Err(error) if error.kind() == ErrorKind::Store => return Err(error),
            Err(error) => left_out.push(LeftOut { app, why: reason(&error) }),
        }
    }
    let mut warnings = Vec::new();
    let apart = targets(&starts).len();
    if apart < starts.len() {
        let (drills, apps) = (counted(starts.len(), "drill"), counted(apart, "scratch app"));
        warnings.push(format!("{drills} into {apps}: those into the same one run one after another"));
    }
    Ok(ManyPlan { kind, selected, starts, left_out, warnings })
}

fn targets(starts: &[RestorePlan]) -> BTreeSet<&AppId> {
    starts.iter().map(|plan| &plan.target.app).collect()
}

/// The selected apps, each once, by name.
async fn sources(shared: &PlanContext<'_>, request: &ManyRestores) -> Result<Vec<App>, Error> {
    let mut sources = match request.select.selection(shared.control.store).await? {
        AppSelection::All => {
            let all = shared.apps.select(&AppSelection::All)?;
            all.into_iter().filter(|app| app.policy.is_some()).collect()
        }
        AppSelection::Named(names) => {
            let mut apps: Vec<App> = Vec::new();
            for name in names {
                let app = shared.app(&name).await?;
                if !apps.iter().any(|other| other.id == app.id) {
                    apps.push(app);
                }
            }
            apps
        }
    };
    if sources.len() > APPS_MAX {
        let what =
            format!("{} are selected, and one request takes {APPS_MAX}", counted(sources.len(), "app"));
        return Err(Error::new(ErrorKind::Invalid, what).help("select fewer, such as those of one policy"));
    }
    sources.sort_by_key(|app| app.id.short_name());
    Ok(sources)
}

async fn restore(
    shared: &PlanContext<'_>,
    request: &ManyRestores,
    app: App,
    aim: Result<Aim, Error>,
) -> Result<RestorePlan, Error> {
    let aim = aim?;
    let target = match &aim {
        Aim::Over(id) if *id == app.id => Some(app.clone()),
        Aim::Over(id) => Some(shared.app(&id.to_string()).await?),
        Aim::New(_) => None,
    };
    gather(shared, request.resolved(app, aim, target)).await
}

async fn drill(shared: &PlanContext<'_>, request: &ManyRestores, app: App) -> Result<RestorePlan, Error> {
    let ManyRestores { into, probe, .. } = request.clone();
    let drill = DrillRequest { app: app.id.to_string(), backup: None, into, probe };
    let resolved = drill.resolve(shared).await?;
    gather(shared, ResolvedRestore { wanted: request.wanted(), ..resolved }).await
}

/// Why an app is left out, and what to do about it.
fn reason(error: &Error) -> String {
    let why = error.with_causes();
    error.advice().map_or_else(|| why.clone(), |advice| format!("{why}; {advice}"))
}

impl ManyPlan {
    /// The text that confirms it: the number of what starts.
    pub fn word(&self) -> String {
        self.starts.len().to_string()
    }

    /// The question before it starts.
    pub fn question(&self) -> String {
        let apps = counted(targets(&self.starts).len(), "app");
        match self.starts.first().map(|plan| (plan.kind, plan.target.exists)) {
            None => "There is nothing to do.".to_owned(),
            Some((RunKind::Drill, _)) => {
                format!("{} will replace everything in {apps}.", counted(self.starts.len(), "drill"))
            }
            Some((_, true)) => format!("Everything in {apps} will be replaced."),
            Some((_, false)) => format!("{apps} will be created."),
        }
    }
}
