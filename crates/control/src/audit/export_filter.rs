//! Which events an export has.

use holdfast_model::{RunEvent, parse_timestamp};
use holdfast_store::{AuditEvent, ChainRow};
use url::form_urlencoded::Serializer;

use crate::views::audit_page::AuditQuery;
use crate::views::row_asked;

/// Which events an export has: every event, or those of the page Audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Whether it has what people did alone; so it does too where the query narrows it.
    pub acts: bool,
    /// What the page shows.
    pub query: AuditQuery,
}

impl ExportFilter {
    /// Whether it has every event.
    pub fn is_whole(&self) -> bool {
        !self.acts && self.query == AuditQuery::default()
    }

    /// The filter as signatures state it, and as addresses have it; empty for every event.
    pub fn to_text(&self) -> String {
        let mut pairs = Serializer::new(String::new());
        if !self.is_whole() {
            pairs.append_pair("acts", "1");
        }
        let AuditQuery { person, app, kind, after: _ } = &self.query;
        let app = app.as_ref().map(ToString::to_string);
        for (name, value) in [("person", person), ("app", &app), ("kind", kind)] {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        }
        pairs.finish()
    }

    /// Whether the export contains the event of a row. An event that cannot be read is only in an export without a filter.
    pub(super) fn has(&self, row: &ChainRow) -> bool {
        self.is_whole() || event(row).is_some_and(|event| row_asked(&event, &self.query).is_some())
    }
}

fn event(row: &ChainRow) -> Option<AuditEvent> {
    Some(AuditEvent {
        link: row.link.clone(),
        at: parse_timestamp(&row.at).ok()?,
        run_id: row.run_id.parse().ok()?,
        app: row.app.parse().ok()?,
        database_role: row.database_role.clone(),
        event: serde_json::from_str::<RunEvent>(&row.data).ok()?,
    })
}
