//! The breakers of workers.

use holdfast_model::Timestamp;

use crate::breaker::{BreakerRecord, OpenBreaker};
use crate::columns::stamp;
use crate::error::Result;
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;

pub(super) const RECORD: &str = "record what does not answer";
pub(super) const OPEN: &str = "read what does not answer";

/// Records a breaker in one statement. One that was open keeps the time since when it is.
pub(super) async fn record(session: &mut impl Session, breaker: &BreakerRecord) -> Result<()> {
    let BreakerRecord { kind, name, at, until } = breaker;
    let key = vec![Arg::text(kind), Arg::text(name)];
    let Some(until) = until else {
        let close = "/* breakers */ UPDATE breakers SET open_until = NULL WHERE kind = $1 AND name = $2";
        return session.execute(close, key).await.map(drop);
    };
    let open = "/* breakers */ INSERT INTO breakers (kind, name, opened_at, open_until) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, name) DO UPDATE SET open_until = excluded.open_until,
            opened_at = CASE WHEN breakers.open_until IS NULL OR breakers.open_until < $5 THEN excluded.opened_at
                ELSE breakers.opened_at END";
    let lapsed = *at - OpenBreaker::LAPSES_AFTER;
    let times = [*at, *until, lapsed].map(|at| Arg::Time(stamp(at)));
    session.execute(open, key.into_iter().chain(times).collect()).await.map(drop)
}

impl FromRow for OpenBreaker {
    const TABLE: &'static str = "breakers";
    const KEY: &'static [&'static str] = &["kind", "name"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let (since, until): (Timestamp, Timestamp) = (row.time("opened_at")?, row.time("open_until")?);
        Ok(Self { kind: row.text("kind")?, name: row.text("name")?, since, until })
    }
}

/// The breakers that are open, by kind and name.
pub(super) async fn open(session: &mut impl Session) -> Result<Vec<OpenBreaker>> {
    let open = "/* breakers */ SELECT kind, name, opened_at, open_until FROM breakers WHERE open_until >= $1";
    let lapsed = session.now().await? - OpenBreaker::LAPSES_AFTER;
    let mut open = fetch_readable::<OpenBreaker>(session, open, vec![Arg::Time(stamp(lapsed))]).await?;
    open.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
    Ok(open)
}
