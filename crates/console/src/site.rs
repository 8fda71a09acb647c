//! What the pages and the API are served from.

use std::fmt;
use std::sync::Arc;

use holdfast_control::views::FleetReading;
use holdfast_control::views::activity::{ActivityPage, ActivityQuery};
use holdfast_control::views::app::AppView;
use holdfast_control::views::audit_page::{AuditPage, AuditQuery};
use holdfast_control::views::fleet::{FleetPage, FleetQuery};
use holdfast_control::views::overview::Overview;
use holdfast_control::views::run::RunView;
use holdfast_model::{AppId, RunId, fold_case};
use holdfast_store::Store;

use crate::Check;
use crate::failure::Failure;

/// What the pages and the API are served from.
pub struct Site {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The checks of the process.
    pub checks: Vec<Arc<dyn Check>>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}

/// The apps that a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedApp {
    /// One.
    One(AppId),
    /// Several have the name.
    Several(Vec<AppId>),
}

impl Site {
    pub async fn reading(&self) -> Result<Arc<FleetReading>, Failure> {
        Err(Failure::store_away())
    }
    pub async fn overview(&self) -> Result<Overview, Failure> {
        Err(Failure::store_away())
    }
    pub async fn fleet(&self, _query: &FleetQuery, _rows: usize) -> Result<FleetPage, Failure> {
        Err(Failure::store_away())
    }
    pub async fn app(&self, _id: &AppId) -> Result<AppView, Failure> {
        Err(Failure::store_away())
    }
    pub async fn run(&self, _id: RunId) -> Result<RunView, Failure> {
        Err(Failure::store_away())
    }
    pub async fn activity(&self, _query: &ActivityQuery) -> Result<ActivityPage, Failure> {
        Err(Failure::store_away())
    }
    pub async fn audit(&self, _query: &AuditQuery) -> Result<AuditPage, Failure> {
        Err(Failure::store_away())
    }

    /// The apps with this short name, or the one with this ARM id, with or without its first slash.
    pub async fn named(&self, name: &str) -> Result<NamedApp, Failure> {
        let reading = self.reading().await?;
        let by_id = format!("/{}", name.trim_start_matches('/')).parse::<AppId>().ok();
        if let Some(id) = by_id.filter(|id| reading.status_of(id).is_some()) {
            return Ok(NamedApp::One(id));
        }
        let name = fold_case(name);
        let called = reading.apps.iter().map(|status| &status.app).filter(|app| app.short_name() == name);
        let mut found: Vec<AppId> = called.cloned().collect();
        match found.len() {
            0 => Err(Failure::no_app(&name)),
            1 => Ok(NamedApp::One(found.remove(0))),
            _ => Ok(NamedApp::Several(found)),
        }
    }
}
