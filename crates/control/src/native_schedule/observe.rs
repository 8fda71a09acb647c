//! Azure's own schedule of an app, with the SAS that Azure keeps with it.

use holdfast_arm::{Arm, Error as ArmError, FoundSchedule};
use holdfast_model::{AppId, NativeSchedule, SasFacts};
use holdfast_storage::ObservedSchedule;
use serde::Serialize;

use crate::app_resolver::AppSelection;
use crate::{ControlContext, Error};

/// What Azure returned, ready to be compared.
pub(crate) fn observed(found: &FoundSchedule) -> ObservedSchedule {
    ObservedSchedule::new(found.schedule.clone(), found.storage_url.as_ref(), found.databases.clone())
}

/// Asks Azure for the schedule of an app.
pub(super) async fn observe(arm: &dyn Arm, app: &AppId) -> Result<Option<ObservedSchedule>, ArmError> {
    Ok(arm.schedule(app).await?.as_ref().map(observed))
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
    for app in context.apps().select(apps).await? {
        let (schedule, sas, error) = match observe(&*context.arm, &app.id).await {
            Ok(Some(found)) => (Some(found.schedule.clone()), found.sas(), None),
            Ok(None) => (None, None, None),
            Err(error) => (None, None, Some(error.to_string())),
        };
        shown.push(ShownSchedule { app: app.id, schedule, sas, error });
    }
    Ok(shown)
}
