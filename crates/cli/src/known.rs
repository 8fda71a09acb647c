//! The apps that a command may name, and the policy snapshot that hold for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use holdfast_arm::{Arm, Error, NoopCallObserver};
use holdfast_model::{App, AppId, PolicyName, PolicySnapshot};
use holdfast_store::Store;

use crate::context::Context;
use crate::discovery;
use crate::exit::{Exit, Failure};
use crate::find;
use crate::output::counted;
use crate::runtime::clouds::clouds;
use holdfast_config::Fleet;

/// The way to Azure for a command that asks once.
pub fn azure(fleet: &Fleet, context: &Context) -> anyhow::Result<Arc<dyn Arm>> {
    Ok(Arc::new(clouds(fleet, &context.clock, &(Arc::new(NoopCallObserver) as _), &mut context.rng())?))
}

/// Subscriptions asked at once.
const AT_ONCE: usize = 8;

/// The apps of the fleet, as far as they are known.
struct Known {
    apps: BTreeMap<AppId, App>,
    /// Why Azure did not tell those of a subscription.
    unanswered: Option<Error>,
}

impl Known {
    fn named(&self, name: &str) -> Result<App, Failure> {
        let ids: Vec<AppId> = self.apps.keys().cloned().collect();
        match (find::app(&ids, name), &self.unanswered) {
            (Ok(id), _) => Ok(self.apps[&id].clone()),
            (Err(failure), None) => Err(failure),
            (Err(_), Some(error)) => {
                let what =
                    format!("`{name}` is not among the apps found before, and Azure lists none: {error}");
                Err(Failure::new(Exit::Azure, what)
                    .help("`holdfast doctor` tells what keeps it from answering"))
            }
        }
    }
}

/// Every app of the fleet.
pub async fn everything(
    fleet: &Fleet,
    store: &dyn Store,
    context: &Context,
) -> anyhow::Result<BTreeMap<AppId, App>> {
    Ok(known(fleet, store, context).await?.apps)
}

/// Azure is asked, because a rule may find an app that no process has seen yet; where it does not answer, those serve
/// that were found before.
async fn known(fleet: &Fleet, store: &dyn Store, context: &Context) -> anyhow::Result<Known> {
    let arm = &azure(fleet, context)?;
    let asked = fleet.subscriptions().into_iter().map(async |of| discovery::sites(arm, fleet, &of).await);
    let answers: Vec<_> = futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
    let (mut sites, mut unanswered) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(found) => sites.extend(found),
            Err(error) => unanswered.push(error),
        }
    }
    if let Some(error) = unanswered.first() {
        let many = counted(unanswered.len(), "subscription");
        context.out.message(&format!(
            "warning: Azure does not list the apps of {many}, so those serve that were found before: {error}"
        ));
    }
    let mut apps: BTreeMap<AppId, App> =
        fleet.apps_with(&sites).into_iter().map(|app| (app.id.clone(), app)).collect();
    for app in store.status().await?.into_iter().filter(|app| !app.removed) {
        let found = App { policy: app.policy, ..App::new(app.app.clone()) };
        apps.entry(app.app).or_insert(found);
    }
    Ok(Known { apps, unanswered: unanswered.into_iter().next() })
}

/// The apps that the command line names.
pub async fn apps(
    names: &[String],
    fleet: &Fleet,
    store: &dyn Store,
    context: &Context,
) -> anyhow::Result<Vec<App>> {
    let known = known(fleet, store, context).await?;
    names.iter().map(|name| Ok(known.named(name)?)).collect()
}

/// The one app that the command line names.
pub async fn app(name: &str, fleet: &Fleet, store: &dyn Store, context: &Context) -> anyhow::Result<App> {
    Ok(known(fleet, store, context).await?.named(name)?)
}

/// The policy snapshot of the app's policy.
pub fn policy_snapshot(app: &App, fleet: &Fleet) -> anyhow::Result<PolicySnapshot> {
    let names = fleet.policies.keys().map(PolicyName::as_str).collect::<Vec<_>>().join(", ");
    let Some(name) = &app.policy else {
        let what = format!("{} is in no policy, so nothing says where its backups go", app.id.short_name());
        return Err(Failure::new(Exit::Usage, what).help(format!("name one with --policy: {names}")).into());
    };
    let Some(policy) = fleet.policies.get(name) else {
        let what = format!("there is no policy `{name}` in the fleet file");
        return Err(Failure::new(Exit::Usage, what).help(format!("it has these: {names}")).into());
    };
    Ok(policy.policy_snapshot.clone())
}
