//! Holds as the audit tells them.

use holdfast_model::{AppId, Delete};

use crate::audit::AuditEvent;
use crate::error::Result;
use crate::rules::holds::{Told, told};
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::session::Session;

/// The reason for which the backup that `delete` deletes is held, by the events.
pub(super) async fn by_events(
    session: &mut impl Session,
    app: &AppId,
    delete: &Delete,
) -> Result<Option<String>> {
    let actions = "/* holds */ SELECT seq, at, run_id, app, data, database_role, previous, hash
        FROM audit_events
        WHERE event = 'action_recorded' AND app = $1
          AND (data LIKE '%held%' OR data LIKE '%released%')
        ORDER BY seq DESC";
    let events: Vec<AuditEvent> = fetch_readable(session, actions, vec![Arg::text(app)]).await?;
    let last = events.iter().find_map(|event| told(&event.event, delete.backup, &delete.blob));
    Ok(last.and_then(Told::reason))
}
