//! What people did, as the audit has it.

use holdfast_model::{AppId, RunEvent, RunId, Timestamp};
use holdfast_store::AuditEvent;
use serde::Serialize;
use utoipa::ToSchema;

use crate::runs::detail;

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonAct {
    /// Its place in the audit.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The person's name: a claim.
    pub person: String,
    /// What was done, in words.
    pub what: String,
    /// The app it is about; `None` for an action about none.
    pub app: Option<AppId>,
    /// The short name of the app.
    pub name: Option<String>,
    /// The run that it asked for, or that records it.
    pub run_id: RunId,
}

impl PersonAct {
    /// The act that an event records; `None` for an event that no person caused.
    pub fn of(event: &AuditEvent) -> Option<Self> {
        let actor = match &event.event {
            RunEvent::Planned { actor, .. } => actor.as_ref()?,
            RunEvent::ActionRecorded { actor, .. } | RunEvent::CancelRequested { actor, .. } => actor,
            _ => return None,
        };
        let is_of_none = [event.app.resource_group(), event.app.site()] == ["unknown", "unknown"];
        let app = (!is_of_none).then(|| event.app.clone());
        Some(Self {
            seq: event.link.seq,
            at: event.at,
            person: actor.name.clone(),
            what: detail(event),
            name: app.as_ref().map(AppId::short_name),
            app,
            run_id: event.run_id,
        })
    }
}
