//! Requests that a second person confirms.

use holdfast_model::{NewRun, RunId, Timestamp};

use crate::approvals::{Approval, Asked, Decision};
use crate::columns::{json, stamp, word};
use crate::error::Result;
use crate::rules::approvals;
use crate::rules::insert::left_out;
use crate::sql::arg::Arg;
use crate::sql::insert::insert;
use crate::sql::lock::lock_cursors;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::rows::run::without_nul;
use crate::sql::session::{Session, fetch_optional};

pub(super) const ASK: &str = "add a request for a confirmation";
pub(super) const DECIDE: &str = "decide a request for a confirmation";
pub(super) const READ: &str = "read the requests for a confirmation";

impl FromRow for Approval {
    const TABLE: &'static str = "approvals";
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id("id")?,
            kind: row.word("kind")?,
            app: row.parse("app")?,
            request: row.text("request")?,
            effect: row.json("effect")?,
            reason: row.text("reason")?,
            asked_by: row.json("asked_by")?,
            makers: row.json("makers")?,
            asked_at: row.time("asked_at")?,
            expires_at: row.time("expires_at")?,
            decision: decision(row)?,
        })
    }
}

fn decision(row: &Row<'_>) -> Result<Option<Decision>> {
    let Some(verdict) = row.maybe_word("verdict")? else { return Ok(None) };
    let (by, at, runs) = (row.json("decided_by")?, row.time("decided_at")?, row.json("runs")?);
    Ok(Some(Decision { verdict, by, at, runs }))
}

/// Adds a request with its record, unless one that asks for the same waits.
pub(super) async fn ask(session: &mut impl Session, new: &Approval, record: &NewRun) -> Result<Asked> {
    lock_cursors(session).await?;
    let now = session.now().await?;
    let pending = "/* pending_approvals */ SELECT * FROM approvals WHERE app = $1 AND verdict IS NULL";
    let existing: Vec<Approval> = fetch_readable(session, pending, vec![Arg::text(&new.app)]).await?;
    let asked = approvals::asked(&existing, new, now);
    if asked != Asked::New {
        return Ok(asked);
    }
    let write = "/* ask_approval */ INSERT INTO approvals
            (id, kind, app, request, effect, reason, asked_by, makers, asked_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let new = approvals::stored(new, now);
    let texts = [
        word(&new.kind),
        new.app.to_string(),
        new.request,
        json(&new.effect),
        without_nul(&new.reason),
        json(&new.asked_by),
        json(&new.makers),
    ];
    let args = [Arg::Id(new.id)].into_iter().chain(texts.map(Arg::Text));
    let times = [new.asked_at, new.expires_at].map(Arg::Time);
    session.execute(write, args.chain(times).collect()).await?;
    insert(session, &[record], now).await?;
    Ok(Asked::New)
}

/// Decides a request that waits, and adds its record and the runs that it starts.
pub(super) async fn decide(
    session: &mut impl Session,
    (id, decision): (RunId, &Decision),
    new: &[NewRun],
) -> Result<bool> {
    lock_cursors(session).await?;
    let now = session.now().await?;
    let write = "/* decide_approval */ UPDATE approvals
        SET verdict = $2, decided_by = $3, decided_at = $4, runs = $5
        WHERE id = $1 AND verdict IS NULL AND expires_at > $4";
    let Decision { verdict, by, at, runs: ids } = approvals::decided(decision, now);
    let args = vec![
        Arg::Id(id),
        Arg::Text(word(&verdict)),
        Arg::Text(json(&by)),
        Arg::Time(at),
        Arg::Text(json(&ids)),
    ];
    if session.execute(write, args).await? == 0 {
        return Ok(false);
    }
    let new: Vec<&NewRun> = new.iter().collect();
    let added = insert(session, &new, now).await?;
    match new.iter().find(|new| !added.contains(&new.run.id)) {
        Some(missing) => Err(left_out(session.operation(), &missing.run)),
        None => Ok(true),
    }
}

pub(super) async fn find(session: &mut impl Session, id: RunId) -> Result<Option<Approval>> {
    let find = "/* approval */ SELECT * FROM approvals WHERE id = $1";
    fetch_optional(session, find, vec![Arg::Id(id)]).await
}

pub(super) async fn list(session: &mut impl Session, since: Timestamp, most: u32) -> Result<Vec<Approval>> {
    let list = "/* approvals */ SELECT * FROM approvals WHERE asked_at > $1
        ORDER BY asked_at DESC, id DESC LIMIT $2";
    fetch_readable(session, list, vec![Arg::Time(stamp(since)), Arg::Int(i64::from(most))]).await
}
