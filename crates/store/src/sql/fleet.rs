//! The enrolled fleet.

use std::collections::BTreeMap;

use holdfast_model::{AppId, NewRun};

use crate::error::Result;
use crate::fleet::{Cursor, FleetChange};
use crate::rules::enrolment::{self, AppRow, SyncPoint, Wanted};
use crate::sql::arg::Arg;
use crate::sql::insert::insert;
use crate::sql::lock::lock_cursors;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::rows::{app, cursor};
use crate::sql::session::{Session, fetch_one};

pub(super) const SYNC: &str = "sync the fleet";

/// Records of one statement.
const RECORDS: usize = 500;

/// A number that is 0 where there is nothing to count.
struct Count(i64);

impl FromRow for Count {
    const KEY: &'static [&'static str] = &[];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self(row.maybe_int("count")?.unwrap_or(0)))
    }
}

/// Syncs the fleet. Rows that cannot be read are overwritten where the fleet names their apps, and stay otherwise.
pub(super) async fn sync_fleet<S: Session>(session: &mut S, wanted: Wanted<'_>) -> Result<FleetChange> {
    lock_cursors(session).await?;
    let now = session.now().await?;
    let (apps, cursors) = (apps(session).await?, cursors(session).await?);
    let Count(seq) =
        fetch_one(session, "/* last_seq */ SELECT max(seq) AS count FROM audit_events", Vec::new()).await?;
    let sync = enrolment::sync(&apps, &cursors, wanted, SyncPoint { now, seq });
    let apps: Vec<_> = sync.apps.iter().map(app::columns).collect();
    let dropped: Vec<String> = sync.dropped.iter().map(ToString::to_string).collect();
    let cursors: Vec<_> = sync.cursors.iter().map(cursor::columns).collect();
    session.execute(S::DIALECT.write_apps, vec![Arg::json(&apps)]).await?;
    session.execute(S::DIALECT.delete_cursors, vec![Arg::json(&dropped)]).await?;
    session.execute(S::DIALECT.write_cursors, vec![Arg::json(&cursors)]).await?;
    let records: Vec<&NewRun> = sync.records.iter().copied().chain(&sync.changes).collect();
    for batch in records.chunks(RECORDS) {
        insert(session, batch, now).await?;
    }
    Ok(sync.change)
}

async fn apps(session: &mut impl Session) -> Result<BTreeMap<AppId, AppRow>> {
    let apps: Vec<AppRow> =
        fetch_readable(session, "/* sync_fleet */ SELECT * FROM apps", Vec::new()).await?;
    Ok(apps.into_iter().map(|row| (row.enrolled.app.id.clone(), row)).collect())
}

async fn cursors(session: &mut impl Session) -> Result<BTreeMap<AppId, Cursor>> {
    let cursors =
        "/* sync_fleet */ SELECT app, policy, fingerprint, through, next_at, CAST(0 AS bigint) AS unfinished,
            CAST(NULL AS timestamptz) AS paused_since, CAST(NULL AS timestamptz) AS paused_until
        FROM cursors";
    let cursors: Vec<Cursor> = fetch_readable(session, cursors, Vec::new()).await?;
    Ok(cursors.into_iter().map(|row| (row.app.clone(), row)).collect())
}
