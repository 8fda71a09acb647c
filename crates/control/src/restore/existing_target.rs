//! The target of a restore as Azure has it; an unfit one is refused.

use holdfast_model::{AppId, Site};

use super::plan::RestoreTarget;
use super::plan_context::PlanContext;
use super::resolved::{Purpose, ResolvedRestore};
use super::target::{Aim, can_take, may_replace};
use crate::{Error, ErrorKind};

/// The target as it is now.
pub(super) async fn existing_target(
    shared: &PlanContext<'_>,
    resolved: &ResolvedRestore,
    target: &AppId,
) -> Result<RestoreTarget, Error> {
    match (&resolved.aim, shared.site(target).await?) {
        (Aim::Over(_), Some(site)) => {
            can_take(&site)?;
            may_replace(target, resolved.overwrite)?;
            Ok(there(site))
        }
        (Aim::Over(_), None) => {
            let help = match target.slot() {
                Some(_) => "create the slot in Azure first",
                None if resolved.purpose != Purpose::Restore => "create the scratch app in Azure first",
                None => "create the app in Azure first, or give --to-new NAME",
            };
            let what = format!("Azure has no app {}", target.short_name());
            Err(Error::new(ErrorKind::NotFound, what).help(help))
        }
        (Aim::New(_), Some(_)) => {
            let what = format!("{} exists already", target.short_name());
            Err(Error::new(ErrorKind::Conflict, what)
                .help("choose another name, or replace it: --to NAME --overwrite"))
        }
        (Aim::New(_), None) => new_app(shared, resolved, target).await,
    }
}

fn there(site: Site) -> RestoreTarget {
    RestoreTarget {
        app: site.id,
        exists: true,
        tier: site.tier,
        state: site.state,
        plan: site.plan,
        is_replaced: true,
        is_stopped: true,
    }
}

/// A new app. Azure creates it from the source, so the source must exist.
async fn new_app(
    shared: &PlanContext<'_>,
    resolved: &ResolvedRestore,
    target: &AppId,
) -> Result<RestoreTarget, Error> {
    let Some(source) = shared.site(&resolved.source.id).await? else {
        let name = resolved.source.id.short_name();
        let what = format!("Azure has no app {name}, from which it would create the new one");
        let help = "create an app in Azure, and restore over it: --to OTHER_APP --overwrite";
        return Err(Error::new(ErrorKind::Refused, what).help(help));
    };
    can_take(&source)?;
    let Some(plan) = resolved.plan.clone().or(source.plan) else {
        let what = "Azure does not say which plan the app is in";
        return Err(Error::new(ErrorKind::Invalid, what).help("name the new app's plan: --plan ARM_ID"));
    };
    if !plan.to_lowercase().contains("/providers/microsoft.web/serverfarms/") {
        let what = format!("`{plan}` is not the ARM id of an App Service plan");
        let help = "it reads /subscriptions/…/resourceGroups/…/providers/Microsoft.Web/serverfarms/NAME";
        return Err(Error::new(ErrorKind::Invalid, what).help(help));
    }
    Ok(RestoreTarget {
        app: target.clone(),
        exists: false,
        tier: None,
        state: None,
        plan: Some(plan),
        is_replaced: false,
        is_stopped: false,
    })
}
