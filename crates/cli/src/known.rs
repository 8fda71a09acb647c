//! The apps that a command may name, and the terms that hold for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_arm::{Arm, Unobserved};
use holdfast_model::{App, AppId, PolicyName, Terms};
use holdfast_store::Store;

use crate::clouds::clouds;
use crate::config::Fleet;
use crate::context::Context;
use crate::discovery;
use crate::exit::{Exit, Failure};
use crate::find;

/// The way to Azure for a command that asks once.
pub fn azure(fleet: &Fleet, context: &Context) -> anyhow::Result<Arc<dyn Arm>> {
    Ok(Arc::new(clouds(fleet, &context.clock, &(Arc::new(Unobserved) as _), &mut context.rng())?))
}

/// Every app of the fleet. Azure is asked, because a rule may find an app that no process has seen yet; where it does
/// not answer, those serve that were found before.
pub async fn everything(
    fleet: &Fleet,
    store: &dyn Store,
    context: &Context,
) -> anyhow::Result<BTreeMap<AppId, App>> {
    let arm = azure(fleet, context)?;
    let mut sites = Vec::new();
    for subscription in fleet.subscriptions() {
        match discovery::sites(&arm, fleet, &subscription).await {
            Ok(found) => sites.extend(found),
            Err(error) => tracing::warn!(%error, "an app that only Azure knows is not found"),
        }
    }
    let mut known: BTreeMap<AppId, App> =
        fleet.apps_with(&sites).into_iter().map(|app| (app.id.clone(), app)).collect();
    for app in store.status().await?.into_iter().filter(|app| !app.removed) {
        let found =
            App { id: app.app.clone(), policy: app.policy, plan: None, databases: Vec::new(), paused: false };
        known.entry(app.app).or_insert(found);
    }
    Ok(known)
}

/// The apps that the command line names.
pub async fn apps(
    names: &[String],
    fleet: &Fleet,
    store: &dyn Store,
    context: &Context,
) -> anyhow::Result<Vec<App>> {
    let known = everything(fleet, store, context).await?;
    let ids: Vec<AppId> = known.keys().cloned().collect();
    names.iter().map(|name| Ok(known[&find::app(&ids, name)?].clone())).collect()
}

/// The one app that the command line names.
pub async fn app(name: &str, fleet: &Fleet, store: &dyn Store, context: &Context) -> anyhow::Result<App> {
    let known = everything(fleet, store, context).await?;
    let ids: Vec<AppId> = known.keys().cloned().collect();
    Ok(known[&find::app(&ids, name)?].clone())
}

/// The terms of the app's policy.
pub fn terms(app: &App, fleet: &Fleet) -> anyhow::Result<Terms> {
    let names = fleet.policies.keys().map(PolicyName::as_str).collect::<Vec<_>>().join(", ");
    let Some(name) = &app.policy else {
        let what = format!("{} is in no policy, so nothing says where its backups go", app.id.short_name());
        return Err(Failure::new(Exit::Usage, what).help(format!("name one with --policy: {names}")).into());
    };
    let Some(policy) = fleet.policies.get(name) else {
        let what = format!("there is no policy `{name}` in the fleet file");
        return Err(Failure::new(Exit::Usage, what).help(format!("it has these: {names}")).into());
    };
    Ok(policy.terms.clone())
}
