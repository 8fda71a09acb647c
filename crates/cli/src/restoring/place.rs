//! The target of a restore as Azure knows it, with what makes it unfit refused.

use anyhow::Context as _;
use holdfast_arm::ErrorKind;
use holdfast_model::{AppId, Site};

use super::gather::{Purpose, RestoreRequest};
use super::plan::RestoreTarget;
use super::target::{Aim, can_take, may_replace};
use crate::desk::Desk;
use crate::exit::{Exit, Failure};

/// The target as it is now.
pub async fn place(desk: &Desk<'_>, ask: &RestoreRequest, target: &AppId) -> anyhow::Result<RestoreTarget> {
    let found = match desk.arm.site(target).await {
        Ok(site) => Some(site),
        Err(error) if *error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).context("failed to ask Azure for the target"),
    };
    match (&ask.aim, found) {
        (Aim::Over(_), Some(site)) => {
            can_take(&site)?;
            may_replace(target, ask.overwrite)?;
            Ok(there(site))
        }
        (Aim::Over(_), None) => {
            let help = match target.slot() {
                Some(_) => "make the slot in Azure first",
                None if ask.purpose != Purpose::Restore => "make the scratch app in Azure first",
                None => "make the app in Azure first, or say --to-new NAME",
            };
            let what = format!("Azure has no app {}", target.short_name());
            Err(Failure::new(Exit::Usage, what).help(help).into())
        }
        (Aim::New(_), Some(_)) => {
            let what = format!("{} exists already", target.short_name());
            Err(Failure::new(Exit::Usage, what)
                .help("choose another name, or replace it: --to NAME --overwrite")
                .into())
        }
        (Aim::New(_), None) => new_app(desk, ask, target).await,
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

/// A new app. Azure makes it when the source is asked, so that one must be there.
async fn new_app(desk: &Desk<'_>, ask: &RestoreRequest, target: &AppId) -> anyhow::Result<RestoreTarget> {
    let source = match desk.arm.site(&ask.source.id).await {
        Ok(site) => site,
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            let what = format!(
                "Azure has no app {}, which it would make the new one after",
                ask.source.id.short_name()
            );
            let help = "make an app in Azure, and restore over it: --to OTHER_APP --overwrite";
            return Err(Failure::new(Exit::Failed, what).help(help).into());
        }
        Err(error) => return Err(error).context("failed to ask Azure for the app"),
    };
    can_take(&source)?;
    let Some(plan) = ask.plan.clone().or(source.plan) else {
        let what = "Azure does not tell which plan the app is in";
        return Err(Failure::new(Exit::Usage, what).help("name the new app's plan: --plan ARM_ID").into());
    };
    if !plan.to_lowercase().contains("/providers/microsoft.web/serverfarms/") {
        let what = format!("`{plan}` is not the ARM id of an App Service plan");
        let help = "it reads /subscriptions/…/resourceGroups/…/providers/Microsoft.Web/serverfarms/NAME";
        return Err(Failure::new(Exit::Usage, what).help(help).into());
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
