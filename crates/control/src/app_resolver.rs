//! Resolves the apps that a request names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use holdfast_arm::Arm;
use holdfast_config::Fleet;
use holdfast_model::{App, AppId, PolicyName, PolicySnapshot};
use holdfast_store::{AppStatus, RunFilter, Store};

use crate::notify::Notify;
use crate::wording::counted;
use crate::{Error, ErrorKind, app_names, discovery};

/// Maximum number of concurrent requests to subscriptions.
const AT_ONCE: usize = 8;
/// Recent runs that are searched for apps outside the fleet.
const RECENT_RUNS: u32 = 1_000;

/// The apps of the fleet that a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppSelection {
    /// Every app.
    All,
    /// The apps with these ARM ids or short names.
    Named(Vec<String>),
}

/// Resolves names of apps by the fleet file, Azure's lists and the store.
#[derive(Clone, Copy)]
pub struct AppResolver<'a> {
    /// The fleet file.
    pub fleet: &'a Fleet,
    /// The store.
    pub store: &'a dyn Store,
    /// The client of ARM.
    pub arm: &'a Arc<dyn Arm>,
    /// Receives a warning when a subscription does not answer.
    pub notify: &'a Notify,
}

/// The apps of the fleet, as far as they are known at one moment.
pub(crate) struct KnownApps {
    apps: BTreeMap<AppId, App>,
    /// How the apps of the store stand, also those that left the fleet.
    pub(crate) statuses: Vec<AppStatus>,
    /// Why Azure does not back up those that it does not.
    unsupported: BTreeMap<AppId, String>,
    /// Why Azure did not list those of a subscription.
    unanswered: Option<holdfast_arm::Error>,
}

impl KnownApps {
    /// The selected apps, each once.
    pub(crate) fn select(&self, selection: &AppSelection) -> Result<Vec<App>, Error> {
        let AppSelection::Named(names) = selection else {
            return Ok(self.apps.values().cloned().collect());
        };
        let (mut apps, mut ids) = (Vec::new(), BTreeSet::new());
        for name in names {
            let app = self.named(name)?;
            if ids.insert(app.id.clone()) {
                apps.push(app);
            }
        }
        Ok(apps)
    }

    fn named(&self, name: &str) -> Result<App, Error> {
        if let Some(app) = name.parse().ok().and_then(|id: AppId| self.apps.get(&id)) {
            return Ok(app.clone());
        }
        let ids: Vec<AppId> = self.apps.keys().cloned().collect();
        match (app_names::app(&ids, name), &self.unanswered) {
            (Ok(id), _) => Ok(self.apps[&id].clone()),
            (Err(error), None) => Err(error),
            (Err(_), Some(error)) => {
                let what = format!(
                    "`{name}` is not among the apps found earlier, and Azure does not list the apps now: {error}"
                );
                Err(Error::new(ErrorKind::Azure, what).help("`holdfast doctor` says what is wrong"))
            }
        }
    }
}

impl AppResolver<'_> {
    /// The selected apps of the fleet, each once.
    pub async fn select(&self, selection: &AppSelection) -> Result<Vec<App>, Error> {
        self.known().await?.select(selection)
    }

    /// The selected apps, as far as Azure backs them up: a named app that it does not is an error, another one is left out
    /// with a warning.
    pub async fn select_supported(&self, selection: &AppSelection) -> Result<Vec<App>, Error> {
        let known = self.known().await?;
        let mut apps = known.select(selection)?;
        let unsupported = known.unsupported;
        let refused = apps.iter().find_map(|app| unsupported.get_key_value(&app.id));
        if let (AppSelection::Named(_), Some((id, why))) = (selection, refused) {
            let help = "move it to a Standard plan or better";
            return Err(Error::new(ErrorKind::Refused, format!("{} is {why}", id.short_name())).help(help));
        }
        apps.retain(|app| {
            let why = unsupported.get(&app.id);
            if let Some(why) = why {
                (self.notify)(&format!("warning: {} is left out: it is {why}", app.id.short_name()));
            }
            why.is_none()
        });
        Ok(apps)
    }

    /// The app that `text` names: of the fleet, of the store although it left the fleet, or of Azure by its ARM id.
    pub async fn any(&self, text: &str) -> Result<App, Error> {
        self.any_of(&self.known().await?, text).await
    }

    /// The same among apps that are known already.
    pub(crate) async fn any_of(&self, known: &KnownApps, text: &str) -> Result<App, Error> {
        let error = match known.named(text) {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        // An ARM id means what it says, whoever knows the app.
        if let Ok(id) = text.parse() {
            return Ok(App::new(id));
        }
        in_store(self.store, text).await.map(App::new).map_err(|_| error)
    }

    /// The apps of the fleet. Azure is asked, because a rule may match an app that no process has seen yet; where it does
    /// not answer, the apps found earlier are used.
    pub(crate) async fn known(&self) -> Result<KnownApps, Error> {
        let asked = self.fleet.subscriptions().into_iter();
        let asked = asked.map(async |of| discovery::sites(self.arm, self.fleet, &of).await);
        let answers: Vec<_> = futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
        let (mut sites, mut unanswered) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Ok(found) => {
                    sites.extend(found.list.sites);
                    for (app, error) in found.without_slots {
                        let name = app.short_name();
                        (self.notify)(&format!(
                            "warning: the slots of {name} are those found earlier: {error}"
                        ));
                    }
                }
                Err(error) => unanswered.push(error),
            }
        }
        if let Some(error) = unanswered.first() {
            let many = counted(unanswered.len(), "subscription");
            (self.notify)(&format!(
                "warning: Azure does not list the apps of {many}, so those found earlier are used: {error}"
            ));
        }
        let mut apps: BTreeMap<AppId, App> =
            self.fleet.apps_with(&sites).into_iter().map(|app| (app.id.clone(), app)).collect();
        let statuses = self.store.status().await?;
        for app in statuses.iter().filter(|app| !app.removed) {
            let (policy, plan, tags) = (app.policy.clone(), app.plan.clone(), app.tags.clone());
            let found = App { policy, plan, tags, ..App::new(app.app.clone()) };
            apps.entry(app.app.clone()).or_insert(found);
        }
        let unsupported =
            sites.iter().filter_map(|site| Some((site.id.clone(), site.why_unsupported()?))).collect();
        Ok(KnownApps { apps, statuses, unsupported, unanswered: unanswered.into_iter().next() })
    }
}

/// The app of the store that `text` names. An app backed up on demand is in no fleet, and is found by its runs.
pub async fn in_store(store: &dyn Store, text: &str) -> Result<AppId, Error> {
    app_names::app(&known_in_store(store).await?, text)
}

/// The apps that the store knows by these names, each of which must mean one.
pub async fn all_in_store(store: &dyn Store, names: &[String]) -> Result<Vec<AppId>, Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let known = known_in_store(store).await?;
    names.iter().map(|name| app_names::app(&known, name)).collect()
}

async fn known_in_store(store: &dyn Store) -> Result<Vec<AppId>, Error> {
    let mut apps: BTreeSet<AppId> = store.status().await?.into_iter().map(|status| status.app).collect();
    let recent = RunFilter { most: RECENT_RUNS, ..RunFilter::default() };
    apps.extend(store.runs(&recent).await?.into_iter().map(|run| run.app));
    Ok(apps.into_iter().collect())
}

/// The policy snapshot of the app's policy.
pub fn policy_snapshot(app: &App, fleet: &Fleet) -> Result<PolicySnapshot, Error> {
    let names = fleet.policies.keys().map(PolicyName::as_str).collect::<Vec<_>>().join(", ");
    let Some(name) = &app.policy else {
        let what = format!("{} is in no policy, so its backups have no storage", app.id.short_name());
        return Err(
            Error::new(ErrorKind::Invalid, what).help(format!("name one with --with-policy: {names}"))
        );
    };
    let Some(policy) = fleet.policies.get(name) else {
        let what = format!("there is no policy `{name}` in the fleet file");
        return Err(Error::new(ErrorKind::Invalid, what).help(format!("it has these: {names}")));
    };
    Ok(policy.policy_snapshot.for_app(&app.id))
}
