//! Azure's own schedule of an app, with the SAS that Azure keeps with it.

use holdfast_arm::{Arm, Error as ArmError, FoundSchedule};
use holdfast_model::{AppId, DatabaseFacts, NativeSchedule, SasFacts};
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

/// Asks Azure for the schedule of an app.
pub(super) async fn observe(arm: &dyn Arm, app: &AppId) -> Result<Option<ObservedSchedule>, ArmError> {
    Ok(arm.schedule(app).await?.map(ObservedSchedule::from))
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
            Ok(Some(found)) => (Some(found.schedule), found.address.sas(), None),
            Ok(None) => (None, None, None),
            Err(error) => (None, None, Some(error.to_string())),
        };
        shown.push(ShownSchedule { app: app.id, schedule, sas, error });
    }
    Ok(shown)
}
