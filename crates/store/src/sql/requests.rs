//! Requests with a key.

use holdfast_model::{NewRun, Timestamp};

use crate::columns::stamp;
use crate::error::Result;
use crate::requests::{AnsweredRequest, RequestAnswer, RequestKey};
use crate::rules::insert::left_out;
use crate::sql::arg::Arg;
use crate::sql::insert::insert;
use crate::sql::lock::lock_cursors;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::{Session, fetch_optional};

pub(super) const ADD: &str = "add the runs of a request";
pub(super) const READ: &str = "read a request";

impl FromRow for AnsweredRequest {
    const TABLE: &'static str = "requests";
    const KEY: &'static [&'static str] = &["principal", "request_key"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let key = RequestKey {
            principal: row.text("principal")?,
            key: row.text("request_key")?,
            fingerprint: row.text("fingerprint")?,
        };
        Ok(Self { key, answer: row.text("answer")?, at: row.time("at")? })
    }
}

/// Adds the runs and the answer of a request, unless it has one. Old requests are forgotten on the way.
pub(super) async fn add_runs_once(
    session: &mut impl Session,
    (key, answer): (&RequestKey, &str),
    runs: &[NewRun],
) -> Result<RequestAnswer> {
    lock_cursors(session).await?;
    let now = session.now().await?;
    let known = known(session, key, now).await?;
    if known != RequestAnswer::New {
        return Ok(known);
    }
    let forget = "/* forget_requests */ DELETE FROM requests WHERE at <= $1";
    session.execute(forget, vec![Arg::Time(stamp(now - AnsweredRequest::KEPT))]).await?;
    let new: Vec<&NewRun> = runs.iter().collect();
    let added = insert(session, &new, now).await?;
    if let Some(missing) = runs.iter().find(|new| !added.contains(&new.run.id)) {
        return Err(left_out(session.operation(), &missing.run));
    }
    let write = "/* add_request */ INSERT INTO requests (principal, request_key, fingerprint, answer, at)
        VALUES ($1, $2, $3, $4, $5)";
    let RequestKey { principal, key, fingerprint } = key;
    let texts = [principal, key, fingerprint, answer].map(Arg::text);
    session.execute(write, texts.into_iter().chain([Arg::Time(stamp(now))]).collect()).await?;
    Ok(RequestAnswer::New)
}

pub(super) async fn find(session: &mut impl Session, key: &RequestKey) -> Result<RequestAnswer> {
    let now = session.now().await?;
    known(session, key, now).await
}

async fn known(session: &mut impl Session, key: &RequestKey, now: Timestamp) -> Result<RequestAnswer> {
    let find = "/* request */ SELECT * FROM requests WHERE principal = $1 AND request_key = $2";
    let row = fetch_optional(session, find, vec![Arg::text(&key.principal), Arg::text(&key.key)]).await?;
    Ok(AnsweredRequest::answer_to(row.as_ref(), key, now))
}
