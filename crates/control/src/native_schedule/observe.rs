//! Azure's own schedule of an app, with the SAS that Azure keeps with it.

use futures::StreamExt as _;
use holdfast_arm::{Arm, Error as ArmError, FoundSchedule};
use holdfast_model::{App, AppId, NativeSchedule, SasFacts};
use holdfast_storage::ObservedSchedule;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_resolver::AppSelection;
use crate::{ControlContext, Error};

/// What Azure returned, ready to be compared.
pub(crate) fn observed(found: &FoundSchedule) -> ObservedSchedule {
    ObservedSchedule::new(found.schedule.clone(), found.storage_url.as_ref(), found.databases.clone())
}

/// Maximum number of apps that Azure is asked about concurrently. The shared budgets pace their calls.
const AT_ONCE: usize = 16;

/// Azure's answer about the schedule of an app.
pub(super) type Observed = (App, Result<Option<ObservedSchedule>, ArmError>);

/// Asks Azure for the schedules of the apps, several at once. The answers are in the order of the apps.
pub(super) async fn observe_all(arm: &dyn Arm, apps: Vec<App>) -> Vec<Observed> {
    let observe = async |app: App| {
        let found = arm.schedule(&app.id).await;
        (app, found.map(|found| found.as_ref().map(observed)))
    };
    futures::stream::iter(apps).map(observe).buffered(AT_ONCE).collect().await
}

/// What Azure says about its own schedule of an app.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
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
            Ok(Some(found)) => (Some(found.schedule.clone()), found.sas(), None),
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
