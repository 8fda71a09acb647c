//! Azure's own schedule of an app, with the SAS that Azure keeps with it.

use futures::StreamExt as _;
use holdfast_arm::{Arm, Error as ArmError, FoundSchedule};
use holdfast_model::{App, AppId, DatabaseFacts, NativeSchedule, SasFacts};
use holdfast_storage::{Container, Sas};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::app_resolver::AppSelection;
use crate::{ControlContext, Error};

/// Azure's own schedule of an app.
pub(crate) struct ObservedSchedule {
    /// The schedule.
    pub schedule: NativeSchedule,
    /// The address that Azure keeps with it.
    pub address: Address,
    /// The databases that it backs up.
    pub databases: Vec<DatabaseFacts>,
}

/// The storage address that Azure keeps with a schedule. Azure accepts any text.
pub(crate) enum Address {
    /// Azure's answer has none.
    Unknown,
    /// A text that is no container's URL with a SAS, and why.
    Unusable(&'static str),
    /// A container's URL with a SAS.
    Usable {
        /// The SAS.
        sas: Box<Sas>,
        /// The container.
        container: Container,
    },
}

impl Address {
    /// Reads the address that Azure returns.
    fn of(url: Option<&SecretString>) -> Self {
        let Some(url) = url else { return Self::Unknown };
        if !url.expose_secret().contains("://") {
            return Self::Unusable("its storage address is no URL, so it writes nowhere");
        }
        match Sas::parse(url) {
            Err(_) if !url.expose_secret().contains('?') => {
                Self::Unusable("its storage address has no SAS, so storage refuses it")
            }
            Err(_) => Self::Unusable("the SAS in its storage address cannot be read"),
            Ok(sas) => match sas.container().cloned() {
                Some(container) => Self::Usable { sas: Box::new(sas), container },
                None => Self::Unusable("its storage address is no URL of a container"),
            },
        }
    }

    /// The facts of a usable SAS.
    pub(crate) fn sas(&self) -> Option<SasFacts> {
        if let Self::Usable { sas, .. } = self { Some(sas.facts()) } else { None }
    }
}

impl From<FoundSchedule> for ObservedSchedule {
    fn from(found: FoundSchedule) -> Self {
        Self::of(&found)
    }
}

impl ObservedSchedule {
    /// The schedule as Azure describes it.
    pub(crate) fn of(found: &FoundSchedule) -> Self {
        Self {
            schedule: found.schedule.clone(),
            address: Address::of(found.storage_url.as_ref()),
            databases: found.databases.clone(),
        }
    }
}

/// Maximum number of apps that Azure is asked about concurrently. The shared budgets pace their calls.
const AT_ONCE: usize = 16;

/// Azure's answer about the schedule of an app.
pub(super) type Observed = (App, Result<Option<ObservedSchedule>, ArmError>);

/// Asks Azure for the schedules of the apps, several at once. The answers are in the order of the apps.
pub(super) async fn observe_all(arm: &dyn Arm, apps: Vec<App>) -> Vec<Observed> {
    let observe = async |app: App| {
        let found = arm.schedule(&app.id).await;
        (app, found.map(|found| found.map(ObservedSchedule::from)))
    };
    futures::stream::iter(apps).map(observe).buffered(AT_ONCE).collect().await
}

/// What Azure says about its own schedule of an app.
#[derive(Debug, Serialize)]
pub struct ShownSchedule {
    /// The app.
    pub app: AppId,
    /// The schedule, if there is one.
    pub schedule: Option<NativeSchedule>,
    /// The SAS that Azure keeps with it, where its answer has one.
    pub sas: Option<SasFacts>,
    /// Why Azure did not answer.
    pub error: Option<String>,
}

/// Asks Azure for its own schedule of each app.
pub async fn show(context: &ControlContext<'_>, apps: &AppSelection) -> Result<Vec<ShownSchedule>, Error> {
    let mut shown = Vec::new();
    for (app, found) in observe_all(&*context.arm, context.apps().select(apps).await?).await {
        let (schedule, sas, error) = match found {
            Ok(Some(found)) => (Some(found.schedule), found.address.sas(), None),
            Ok(None) => (None, None, None),
            Err(error) => (None, None, Some(error.to_string())),
        };
        shown.push(ShownSchedule { app: app.id, schedule, sas, error });
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use holdfast_arm::ErrorKind;
    use holdfast_model::{ManualClock, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::scripted_azure::ScriptedAzure;

    #[tokio::test]
    async fn many_apps_are_asked_about_side_by_side_and_answered_in_their_order() {
        let azure = Arc::new(ScriptedAzure::default());
        let apps: Vec<App> =
            (0..50).map(|number| App::new(AppId::new("s", "g", &format!("app-{number}"), None))).collect();
        let refused = json!({ "error": { "code": "AuthorizationFailed", "message": "no" } }).to_string();
        let path = format!("{}/config/backup/list", apps[7].id).to_lowercase();
        azure.answers.lock().unwrap().insert(path, (403, None, refused));
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let arm = azure.client(clock, fastrand::Rng::with_seed(1));
        let observed = observe_all(&*arm, apps.clone()).await;
        let order: Vec<&AppId> = observed.iter().map(|(app, _)| &app.id).collect();
        assert_eq!(order, apps.iter().map(|app| &app.id).collect::<Vec<_>>());
        assert_eq!(azure.most_at_once.load(Ordering::Relaxed), AT_ONCE);
        let kind_of = |at: usize| observed[at].1.as_ref().err().map(|error| error.kind().clone());
        let refused: Vec<usize> = (0..50).filter(|at| kind_of(*at) == Some(ErrorKind::Forbidden)).collect();
        assert_eq!(refused, [7]);
    }
}
