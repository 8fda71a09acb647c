//! Reads runs from the store.

use holdfast_model::{AppId, RunId, RunKind, Timestamp};
use holdfast_store::{AuditEvent, RunFilter, Store};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::RunView;
use crate::{Error, ErrorKind, app_resolver};

/// A request for an app's runs.
#[derive(Debug)]
pub struct HistoryRequest {
    /// The app, by its ARM id or short name.
    pub app: String,
    /// Only runs of this kind.
    pub kind: Option<RunKind>,
    /// Greatest number of runs.
    pub limit: u32,
}

/// An app's runs.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct RunHistory {
    /// The store's time.
    pub now: Timestamp,
    /// The app.
    pub app: AppId,
    /// The runs, the newest first.
    pub runs: Vec<RunView>,
}

/// A run and everything that happened to it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct RunWithEvents {
    /// The run.
    pub run: RunView,
    /// Its events, the oldest first.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<AuditEvent>,
}

/// Reads an app's runs.
pub async fn history(store: &dyn Store, request: &HistoryRequest) -> Result<RunHistory, Error> {
    let app = app_resolver::in_store(store, &request.app).await?;
    let HistoryRequest { kind, limit, .. } = *request;
    let filter = RunFilter { app: Some(app.clone()), kind, most: limit, ..RunFilter::default() };
    let runs = store.runs(&filter).await?.iter().map(RunView::from).collect();
    Ok(RunHistory { now: store.now().await?, app, runs })
}

/// Reads a run and its events.
pub async fn find(store: &dyn Store, id: RunId) -> Result<RunWithEvents, Error> {
    let Some(loaded) = store.load(id).await? else {
        let error = Error::new(ErrorKind::NotFound, format!("the store has no run {id}"));
        return Err(error.help("`holdfast history APP` lists an app's runs"));
    };
    Ok(RunWithEvents { run: RunView::from(&loaded.run), events: store.events(id).await? })
}
