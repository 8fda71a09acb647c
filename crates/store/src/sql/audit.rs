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

/// Appends events and returns their places. No other transaction can append until this one ends, so only what names the
/// places follows: changes of the catalog, and instructions.
pub(super) async fn append<S: Session>(session: &mut S, events: &[NewEvent<'_>]) -> Result<Vec<Placed>> {
    let mut placed: Vec<Placed> = Vec::with_capacity(events.len());
    if events.is_empty() {
        return Ok(placed);
    }
    let mut end = match S::DIALECT.last_link {
        Some(last_link) => {
            let end: Option<ChainEnd> = fetch_optional(session, last_link, Vec::new()).await?;
            Some(end.unwrap_or_else(ChainEnd::origin))
        }
        None => None,
    };
    let mut chunks = events.chunks(CHUNK);
    let mut prepare = || chunks.next().map(|events| rows(end.as_mut(), events));
    let mut next = prepare();
    while let Some(rows) = next {
        let append = session.fetch::<Placed>(S::DIALECT.append_events, vec![rows]);
        let (appended, following) = tokio::join!(biased; append, async { prepare() });
        placed.extend(appended?);
        next = following;
    }
    placed.sort_unstable_by_key(|place| place.seq);
    Ok(placed)
}

/// The rows of events, each bound to the one before where the database does not do it.
fn rows(end: Option<&mut ChainEnd>, events: &[NewEvent<'_>]) -> Arg {
    match end {
        Some(end) => {
            let places = places(end, events);
            let rows = chain_rows(end, events, &places);
            Arg::json(&rows.iter().map(event::linked).collect::<Vec<_>>())
        }
        None => Arg::json(&events.iter().map(event::unlinked).collect::<Vec<_>>()),
    }
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
