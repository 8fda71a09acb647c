//! Azure's own schedule of an app, with the SAS that Azure keeps with it.

use holdfast_arm::{Arm, Error as ArmError};
use holdfast_model::{AppId, NativeSchedule, SasFacts};
use holdfast_storage::{Container, Sas};
use serde::Serialize;

use crate::app_resolver::AppSelection;
use crate::{ControlContext, Error};

/// Azure's own schedule of an app.
pub(super) struct ObservedSchedule {
    /// The schedule.
    pub schedule: NativeSchedule,
    /// The SAS that Azure keeps with it, where its answer has one.
    pub sas: Option<SasFacts>,
    /// The container of that SAS.
    pub container: Option<Container>,
}

/// Asks Azure for the schedule of an app.
pub(super) async fn observe(arm: &dyn Arm, app: &AppId) -> Result<Option<ObservedSchedule>, ArmError> {
    let found = arm.schedule(app).await?;
    Ok(found.map(|found| {
        let sas = found.storage_url.and_then(|url| Sas::parse(&url).ok());
        let container = sas.as_ref().and_then(|sas| sas.container().cloned());
        ObservedSchedule { schedule: found.schedule, sas: sas.map(|sas| sas.facts()), container }
    }))
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
            Ok(Some(ObservedSchedule { schedule, sas, .. })) => (Some(schedule), sas, None),
            Ok(None) => (None, None, None),
            Err(error) => (None, None, Some(error.to_string())),
        };
        shown.push(ShownSchedule { app: app.id, schedule, sas, error });
    }
    Ok(shown)
}
