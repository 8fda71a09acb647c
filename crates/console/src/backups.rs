//! Backups that people ask for through the console.

use async_trait::async_trait;
use holdfast_control::Error;
use holdfast_control::views::FleetReading;
use holdfast_control::views::actions::{
    BackupAction, BackupPreview, BackupsStarted, FleetBackups, LeftOut, Selection, back_up, preview,
};
use holdfast_model::{Actor, Timestamp};
use holdfast_store::RequestKey;

/// Backs up apps on behalf of a person, as the command line does and with the same record in the audit.
#[async_trait]
pub trait BackupActions: Send + Sync {
    /// What backing up the selection will do. Changes nothing.
    fn preview(&self, reading: &FleetReading, selection: &Selection) -> Result<BackupPreview, Error>;

    /// Adds a backup run for each app that the preview starts. Sent twice, a request adds its runs once.
    async fn back_up(&self, reading: &FleetReading, request: BackupRequest) -> Result<BackupsStarted, Error>;
}

/// A request of a person.
#[derive(Debug, Clone)]
pub struct BackupRequest {
    /// The apps.
    pub selection: Selection,
    /// Who asks, for the audit.
    pub actor: Actor,
    /// The identity of the request: the same when it is sent twice.
    pub key: String,
    /// When the form was issued.
    pub asked_at: Timestamp,
    /// The key that a program gave it.
    pub request: Option<RequestKey>,
    /// Apps that it names and that are left out already, each with the reason.
    pub left_out: Vec<LeftOut>,
}

#[async_trait]
impl BackupActions for FleetBackups {
    fn preview(&self, reading: &FleetReading, selection: &Selection) -> Result<BackupPreview, Error> {
        preview(reading, &self.fleet, selection)
    }

    async fn back_up(&self, reading: &FleetReading, request: BackupRequest) -> Result<BackupsStarted, Error> {
        let BackupRequest { selection, actor, key, asked_at, request, left_out } = request;
        let action = BackupAction { selection, actor, key, asked_at, request, left_out };
        back_up(&*self.store, &self.fleet, reading, &action).await
    }
}
