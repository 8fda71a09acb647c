//! The revisions of the fleet.

use holdfast_model::NewRun;

use crate::columns::{json, stamp};
use crate::error::Result;
use crate::revisions::{Revision, RevisionHead};
use crate::sql::arg::Arg;
use crate::sql::insert::insert;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::{Session, fetch_optional};

pub(super) const APPEND: &str = "append a revision of the fleet";
pub(super) const READ: &str = "read the revisions of the fleet";

impl FromRow for RevisionHead {
    const TABLE: &'static str = "fleet_revisions";
    const KEY: &'static [&'static str] = &["number"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let rolled_back_to = row.maybe_int("rolled_back_to")?;
        Ok(Self {
            number: row.count("number")?,
            sha256: row.text("sha256")?,
            at: row.time("at")?,
            by: row.json("made_by")?,
            reason: row.text("reason")?,
            rolled_back_to: rolled_back_to.and_then(|number| u64::try_from(number).ok()),
        })
    }
}

impl FromRow for Revision {
    const TABLE: &'static str = RevisionHead::TABLE;
    const KEY: &'static [&'static str] = RevisionHead::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { head: RevisionHead::read(row)?, text: row.text("content")? })
    }
}

/// The number of the newest revision.
struct Newest(u64);

impl FromRow for Newest {
    const TABLE: &'static str = RevisionHead::TABLE;
    const KEY: &'static [&'static str] = RevisionHead::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        row.count("number").map(Self)
    }
}

fn number(number: u64) -> Arg {
    Arg::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Appends a revision with its record, if its number is the next one.
pub(super) async fn append(session: &mut impl Session, new: &Revision, record: &NewRun) -> Result<bool> {
    let now = session.now().await?;
    // Of two transactions that append the same number, the second waits for the first, and writes nothing.
    let write = "/* append_revision */ INSERT INTO fleet_revisions
            (number, content, sha256, at, made_by, reason, rolled_back_to)
        SELECT $1, $2, $3, $4, $5, $6, nullif($7, 0)
        WHERE $1 = (SELECT coalesce(max(number), 0) FROM fleet_revisions) + 1
        ON CONFLICT DO NOTHING";
    let Revision { head, text } = new;
    let args = vec![
        number(head.number),
        Arg::text(text),
        Arg::text(&head.sha256),
        Arg::Time(stamp(now)),
        Arg::Text(json(&head.by)),
        Arg::text(&head.reason),
        number(head.rolled_back_to.unwrap_or(0)),
    ];
    if session.execute(write, args).await? == 0 {
        return Ok(false);
    }
    insert(session, &[record], now).await?;
    Ok(true)
}

pub(super) async fn newest(session: &mut impl Session) -> Result<u64> {
    let newest = "/* newest_revision */ SELECT number FROM fleet_revisions ORDER BY number DESC LIMIT 1";
    let newest: Option<Newest> = fetch_optional(session, newest, Vec::new()).await?;
    Ok(newest.map_or(0, |newest| newest.0))
}

pub(super) async fn find(session: &mut impl Session, wanted: u64) -> Result<Option<Revision>> {
    let find = "/* revision */ SELECT * FROM fleet_revisions WHERE number = $1";
    fetch_optional(session, find, vec![number(wanted)]).await
}

pub(super) async fn list(session: &mut impl Session, most: u32) -> Result<Vec<RevisionHead>> {
    let list =
        "/* revisions */ SELECT number, sha256, at, made_by, reason, rolled_back_to FROM fleet_revisions
        ORDER BY number DESC LIMIT $1";
    fetch_readable(session, list, vec![Arg::Int(i64::from(most))]).await
}
