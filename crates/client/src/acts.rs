//! Acts that are done when a server has answered.

use std::collections::BTreeSet;

use holdfast_control::Error;
use holdfast_control::adoption::AdoptionRequest;
use holdfast_control::app_resolver::AppSelection;
use holdfast_control::cancel::CancelledRun;
use holdfast_control::holds::ChangedHold;
use holdfast_control::native_schedule::{ScheduleDrift, ShownSchedule};
use holdfast_control::selector::{Selected, Selector};
use holdfast_control::verify::VerifyReport;
use holdfast_model::{AppId, BackupId, RunId, StorageName, SubscriptionId, Timestamp, format_timestamp};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::reads::All;
use crate::server::Server;

/// What an act did.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    pub app: AppId,
    pub run: Option<RunId>,
    #[serde(default)]
    pub approval: Option<RunId>,
    #[serde(default)]
    pub runs: Vec<RunId>,
    #[serde(default)]
    pub under_way: u64,
    #[serde(default)]
    pub may_leave_backup: bool,
}

/// Backups that were adopted.
#[derive(Debug, Deserialize)]
pub struct AdoptedBackups {
    /// The app.
    pub app: AppId,
    /// The storage that holds them.
    pub storage: StorageName,
    /// Azure's numbers of the backups.
    pub backups: Vec<BackupId>,
}

#[derive(Deserialize)]
struct Revealed {
    storage_url: String,
}

#[derive(Deserialize)]
struct Opened {
    opened: u64,
}

/// Apps as a request names them.
#[derive(Debug, Serialize)]
pub(crate) struct SomeApps<'a> {
    pub apps: &'a [String],
    pub all: bool,
}

impl<'a> From<&'a AppSelection> for SomeApps<'a> {
    fn from(selection: &'a AppSelection) -> Self {
        match selection {
            AppSelection::All => Self { apps: &[], all: true },
            AppSelection::Named(apps) => Self { apps, all: false },
        }
    }
}

impl Server {
    /// The apps that a selector selects, and the runs of theirs that people steer.
    pub async fn selected(&self, selector: &Selector) -> Result<Selected, Error> {
        self.post(&["selections"], selector).await
    }

    /// The same as names for a request about apps.
    pub async fn selection(&self, selector: &Selector) -> Result<AppSelection, Error> {
        if let Some(selection) = selector.unresolved() {
            return Ok(selection);
        }
        let apps = self.selected(selector).await?.apps;
        Ok(AppSelection::Named(apps.iter().map(ToString::to_string).collect()))
    }

    /// Pauses apps, all or none.
    pub async fn pause(&self, apps: &BTreeSet<AppId>, until: Timestamp, reason: &str) -> Result<(), Error> {
        let body = json!({ "apps": apps, "until": format_timestamp(until), "reason": reason });
        self.act::<Value>(&["pauses"], &body).await.map(drop)
    }

    /// Ends the pauses of apps, of all or of none.
    pub async fn resume(&self, apps: &BTreeSet<AppId>, reason: &str) -> Result<(), Error> {
        self.act::<Value>(&["pauses", "end"], &json!({ "apps": apps, "reason": reason })).await.map(drop)
    }

    /// Cancels a run that waits.
    pub async fn cancel(&self, run: RunId, reason: &str) -> Result<CancelledRun, Error> {
        let path = ["runs", &run.to_string(), "cancel"];
        let done: Done = self.act(&path, &json!({ "reason": reason })).await?;
        Ok(CancelledRun { app: done.app, may_leave_backup: done.may_leave_backup })
    }

    /// Acknowledges a run that did not succeed.
    pub async fn acknowledge(&self, run: RunId, note: &str) -> Result<AppId, Error> {
        let path = ["runs", &run.to_string(), "acknowledge"];
        self.act::<Done>(&path, &json!({ "note": note })).await.map(|done| done.app)
    }

    /// Holds a backup, or releases it.
    pub async fn hold(
        &self,
        (app, backup): (&str, BackupId),
        reason: &str,
        held: bool,
    ) -> Result<ChangedHold, Error> {
        let path: &[&str] = if held { &["holds"] } else { &["holds", "release"] };
        let done: Done = self.act(path, &json!({ "app": app, "backup": backup, "reason": reason })).await?;
        Ok(ChangedHold { app: done.app, deletion_started: done.run })
    }

    /// Opens the closed request budgets of a subscription, and returns how many there were.
    pub async fn reopen_budgets(&self, subscription: &SubscriptionId) -> Result<u64, Error> {
        let body = json!({ "subscription": subscription });
        self.post::<Opened>(&["budgets", "reopen"], &body).await.map(|opened| opened.opened)
    }

    /// The URL with the SAS that Azure keeps with a backup. The server's audit records who asks.
    pub async fn reveal(&self, app: &str, backup: BackupId) -> Result<SecretString, Error> {
        let body = json!({ "app": app, "backup": backup });
        let Revealed { storage_url } = self.post(&["backups", "reveal"], &body).await?;
        Ok(storage_url.into())
    }

    /// Adopts backups that others took.
    pub async fn adopt(&self, request: &AdoptionRequest) -> Result<AdoptedBackups, Error> {
        let AdoptionRequest { app, backups, storage } = request;
        let body = json!({ "app": app, "backups": backups, "storage": storage });
        self.post(&["backups", "adopt"], &body).await
    }

    /// Verifies the backups of apps.
    pub async fn verify(&self, apps: &AppSelection) -> Result<VerifyReport, Error> {
        self.post(&["verifications"], &SomeApps::from(apps)).await
    }

    /// Azure's own schedules of apps.
    pub async fn native_schedules(&self, apps: &AppSelection) -> Result<Vec<ShownSchedule>, Error> {
        let all: All<_> = self.post(&["native-schedules", "show"], &SomeApps::from(apps)).await?;
        Ok(all.value)
    }

    /// How Azure's own schedules of apps differ from their policies.
    pub async fn drift(&self, apps: &AppSelection) -> Result<Vec<ScheduleDrift>, Error> {
        let all: All<_> = self.post(&["native-schedules", "drift"], &SomeApps::from(apps)).await?;
        Ok(all.value)
    }
}
