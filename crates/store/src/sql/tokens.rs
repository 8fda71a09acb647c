//! API tokens.

use holdfast_access::{ApiToken, Scope};
use holdfast_model::{NewRun, PolicyName, Timestamp};

use crate::columns::{json, stamp};
use crate::error::Result;
use crate::sql::arg::Arg;
use crate::sql::insert::insert;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::{Session, fetch_optional};

pub(super) const ADD: &str = "add an API token";
pub(super) const REVOKE: &str = "revoke an API token";
pub(super) const READ: &str = "read the API tokens";
pub(super) const USE: &str = "record the use of an API token";

impl FromRow for ApiToken {
    const TABLE: &'static str = "api_tokens";
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let policies: Option<Vec<PolicyName>> = row.maybe_json("policies")?;
        Ok(Self {
            id: row.text("id")?,
            name: row.text("name")?,
            hash: row.text("hash")?,
            role: row.word("role")?,
            scope: Scope::of(policies.unwrap_or_default()),
            created_by: row.text("created_by")?,
            created_login: row.maybe_text("created_login")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            last_used_at: row.maybe_time("last_used_at")?,
            revoked_at: row.maybe_time("revoked_at")?,
        })
    }
}

/// Adds a token with its record, unless a token that is not revoked has its name.
pub(super) async fn add(session: &mut impl Session, token: &ApiToken, record: &NewRun) -> Result<bool> {
    let write = "/* add_token */ INSERT INTO api_tokens
            (id, name, hash, role, policies, created_by, created_login, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    let texts = [&token.id, &token.name, &token.hash, token.role.as_str()].map(Arg::text);
    let policies = Arg::MaybeText(token.scope.policies().map(json));
    let times = [token.created_at, token.expires_at].map(|at| Arg::Time(stamp(at)));
    let by = [policies, Arg::text(&token.created_by), Arg::MaybeText(token.created_login.clone())];
    let args = texts.into_iter().chain(by).chain(times).collect();
    if session.execute(write, args).await? == 0 {
        return Ok(false);
    }
    let now = session.now().await?;
    insert(session, &[record], now).await?;
    Ok(true)
}

/// Revokes a token with its record, unless it is revoked.
pub(super) async fn revoke(session: &mut impl Session, id: &str, record: &NewRun) -> Result<bool> {
    let now = session.now().await?;
    let revoke =
        "/* revoke_token */ UPDATE api_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    if session.execute(revoke, vec![Arg::text(id), Arg::Time(stamp(now))]).await? == 0 {
        return Ok(false);
    }
    insert(session, &[record], now).await?;
    Ok(true)
}

pub(super) async fn find(session: &mut impl Session, id: &str) -> Result<Option<ApiToken>> {
    let find = "/* token */ SELECT * FROM api_tokens WHERE id = $1";
    fetch_optional(session, find, vec![Arg::text(id)]).await
}

pub(super) async fn list(session: &mut impl Session) -> Result<Vec<ApiToken>> {
    let list = "/* tokens */ SELECT * FROM api_tokens";
    let mut tokens: Vec<ApiToken> = fetch_readable(session, list, Vec::new()).await?;
    tokens.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(tokens)
}

/// Records a use in one statement, unless a recent one is recorded.
pub(super) async fn used(session: &mut impl Session, id: &str, at: Timestamp) -> Result<()> {
    let write = "/* token_used */ UPDATE api_tokens SET last_used_at = $2
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)";
    let times = [at, at - ApiToken::USE_RESOLUTION].map(|at| Arg::Time(stamp(at)));
    session.execute(write, [Arg::text(id)].into_iter().chain(times).collect()).await.map(drop)
}
