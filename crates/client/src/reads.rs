//! What a server answers to questions that change nothing.

use holdfast_control::EffectivePolicy;
use holdfast_control::Error;
use holdfast_control::coverage::Coverage;
use holdfast_control::forecast::FleetForecast;
use holdfast_control::freshness::{CheckScope, Freshness};
use holdfast_control::inventory::BackupView;
use holdfast_control::retention::RetentionReport;
use holdfast_control::runs::{HistoryRequest, RunHistory, RunWithEvents};
use holdfast_control::sas::CheckedStorage;
use holdfast_control::schedule_preview::{PreviewRange, SchedulePreview};
use holdfast_control::status::FleetStatus;
use holdfast_model::{
    AppId, BackupId, CatalogEntry, PolicyName, RunId, RunKind, StorageName, Timestamp, format_timestamp,
};
use serde::Deserialize;

use crate::query::Query;
use crate::server::Server;

/// A list, and when the store was read for it.
#[derive(Debug, Deserialize)]
pub struct Listed<T> {
    /// When the store was read.
    #[serde(rename = "asOf")]
    pub as_of: Timestamp,
    /// The rows.
    pub value: Vec<T>,
}

/// A whole list.
#[derive(Debug, Deserialize)]
pub(crate) struct All<T> {
    pub value: Vec<T>,
}

/// An app's backups, from Azure and from the catalog.
#[derive(Debug, Deserialize)]
pub struct AppBackups {
    /// When they were read.
    pub as_of: Timestamp,
    /// The app.
    pub app: AppId,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// The backups.
    pub value: Vec<BackupView>,
}

/// One backup of an app.
#[derive(Debug, Deserialize)]
pub struct ShownBackup {
    /// When it was read.
    pub as_of: Timestamp,
    /// The app.
    pub app: AppId,
    /// The backup.
    #[serde(flatten)]
    pub backup: BackupView,
}

impl Server {
    /// The status of every app, or of those that need attention.
    pub async fn status(&self, only_problems: bool) -> Result<FleetStatus, Error> {
        self.get(&["status"], Query::default().flag("problems", only_problems)).await
    }

    /// Whether apps can be restored to where their policies say.
    pub async fn check(&self, scope: &CheckScope) -> Result<Freshness, Error> {
        let CheckScope { app, policy, tags } = scope;
        let query = Query::default().with("app", app.as_ref()).with("policy", policy.as_ref());
        let query = tags.iter().fold(query, |query, tag| query.with("tag", Some(tag)));
        self.get(&["check"], query).await
    }

    /// An app's runs.
    pub async fn history(&self, request: &HistoryRequest) -> Result<RunHistory, Error> {
        let HistoryRequest { app, kind, limit } = request;
        let query = Query::default().with("app", Some(app)).with("kind", kind.map(RunKind::as_str));
        self.get(&["history"], query.with("limit", Some(limit))).await
    }

    /// A run and its events.
    pub async fn run(&self, id: RunId) -> Result<RunWithEvents, Error> {
        self.get(&["runs", &id.to_string(), "events"], Query::default()).await
    }

    /// What the coming hours will bring.
    pub async fn forecast(
        &self,
        hours: u32,
        from: Option<Timestamp>,
        apps: Option<u32>,
    ) -> Result<FleetForecast, Error> {
        let query = Query::default().with("hours", Some(hours)).with("from", from.map(format_timestamp));
        self.get(&["forecast"], query.with("apps", apps)).await
    }

    /// What retention decides about the backups of an app, of a policy or of all.
    pub async fn retention(&self, app: Option<&str>, policy: Option<&str>) -> Result<RetentionReport, Error> {
        self.get(&["retention"], Query::default().with("app", app).with("policy", policy)).await
    }

    /// The next ticks of an app, of a policy or of every policy.
    pub async fn schedules(
        &self,
        app: Option<&str>,
        policy: Option<&str>,
        range: PreviewRange,
    ) -> Result<Vec<SchedulePreview>, Error> {
        let query = Query::default().with("app", app).with("policy", policy);
        let query = query.with("from", Some(format_timestamp(range.from))).with("count", Some(range.count));
        self.get::<All<_>>(&["schedules"], query).await.map(|all| all.value)
    }

    /// The values of the policy of an app, or of every policy.
    pub async fn policies(&self, app: Option<&str>) -> Result<Vec<EffectivePolicy>, Error> {
        self.get::<All<_>>(&["policies"], Query::default().with("app", app)).await.map(|all| all.value)
    }

    /// The apps that Azure lists, and which of them the fleet file covers.
    pub async fn discovery(&self) -> Result<Coverage, Error> {
        self.get(&["discovery"], Query::default()).await
    }

    /// The held backups, of an app or of all.
    pub async fn holds(&self, app: Option<&str>) -> Result<Listed<CatalogEntry>, Error> {
        self.get(&["holds"], Query::default().with("app", app)).await
    }

    /// The storages, each with the state of its SAS.
    pub async fn storages(&self, names: &[StorageName]) -> Result<Listed<CheckedStorage>, Error> {
        let query = names.iter().fold(Query::default(), |query, name| query.with("storage", Some(name)));
        self.get(&["storages"], query).await
    }

    /// An app's backups, from Azure and from the catalog.
    pub async fn inventory(&self, app: &str, with_removed: bool) -> Result<AppBackups, Error> {
        self.get(&["inventory"], Query::default().with("app", Some(app)).flag("removed", with_removed)).await
    }

    /// One backup of an app.
    pub async fn backup(&self, app: &str, id: BackupId) -> Result<ShownBackup, Error> {
        self.get(&["backups", &id.to_string()], Query::default().with("app", Some(app))).await
    }
}
