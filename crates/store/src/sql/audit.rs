//! The audit: appending to it, and reading it as it was written.

use holdfast_model::RunId;

use crate::audit::{AuditEvent, ChainEnd, NewEvent, Placed, chain_rows, places};
use crate::error::Result;
use crate::filter::ActFilter;
use crate::sql::arg::Arg;
use crate::sql::reading::{fetch_most, fetch_readable};
use crate::sql::row::FromRow;
use crate::sql::rows::event;
use crate::sql::session::{Session, fetch_optional};

pub(super) const READ: &str = "read the audit";

/// Events per statement. While the database works on one statement, the events of the next one are prepared.
const CHUNK: usize = 250;

/// Appends events and returns their places. No other transaction can append until this one ends, so only the changes of the
/// catalog, which name the events, follow.
pub(super) async fn append<S: Session>(session: &mut S, events: &[NewEvent<'_>]) -> Result<Vec<Placed>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let end: Option<ChainEnd> = fetch_optional(session, S::DIALECT.last_link, Vec::new()).await?;
    let mut end = end.unwrap_or_else(ChainEnd::origin);
    let placed = places(&end, events);
    let mut chunks = events.chunks(CHUNK).zip(placed.chunks(CHUNK));
    let mut prepare = || {
        chunks.next().map(|(events, places)| {
            let rows = chain_rows(&mut end, events, places);
            let rows: Vec<_> = rows.iter().map(event::columns).collect();
            Arg::json(&rows)
        })
    };
    let mut next = prepare();
    while let Some(rows) = next {
        let append = session.execute(S::DIALECT.append_events, vec![rows]);
        let (appended, following) = tokio::join!(biased; append, async { prepare() });
        appended?;
        next = following;
    }
    Ok(placed)
}

pub(super) async fn of_run(session: &mut impl Session, run: RunId) -> Result<Vec<AuditEvent>> {
    let of_run =
        "/* of_run */ SELECT seq, at, run_id, app, data, database_role, previous, hash FROM audit_events
        WHERE run_id = $1 ORDER BY seq";
    fetch_readable(session, of_run, vec![Arg::Id(run)]).await
}

/// The newest events that people caused.
pub(super) async fn acts<S: Session>(session: &mut S, filter: &ActFilter) -> Result<Vec<AuditEvent>> {
    if filter.most == 0 {
        return Ok(Vec::new());
    }
    let before = filter.before.unwrap_or(i64::MAX);
    fetch_most(session, S::DIALECT.acts, filter.most, |limit| vec![Arg::Int(before), limit]).await
}

/// The last event.
pub(super) async fn last(session: &mut impl Session) -> Result<Option<AuditEvent>> {
    let last =
        "/* last_event */ SELECT seq, at, run_id, app, data, database_role, previous, hash FROM audit_events
        WHERE seq > 0 ORDER BY seq DESC LIMIT 1";
    fetch_optional(session, last, Vec::new()).await
}

/// Events after a sequence number, as audit events or as rows of the chain.
pub(super) async fn after<T: FromRow>(session: &mut impl Session, after: i64, most: u32) -> Result<Vec<T>> {
    let chain =
        "/* chain */ SELECT seq, at, run_id, app, data, database_role, previous, hash FROM audit_events
        WHERE seq > $1 ORDER BY seq LIMIT $2";
    if most == 0 {
        return Ok(Vec::new());
    }
    fetch_most(session, chain, most, |limit| vec![Arg::Int(after), limit]).await
}
