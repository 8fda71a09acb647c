//! What may stand in the way of an intent, read in the transaction that commits it.

use holdfast_model::{AppId, Delete, Run, RunState};

use crate::error::Result;
use crate::rules::intent::{Intent, IntentFacts, Rival};
use crate::sql::arg::Arg;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::{Session, fetch_one};
use crate::sql::{catalog, holds, listing};

/// Reads what may stand in the way of what `run` begins.
pub(super) async fn facts(session: &mut impl Session, run: &Run, intent: Intent<'_>) -> Result<IntentFacts> {
    let mut facts = IntentFacts::default();
    if let Some(delete) = intent.deletion() {
        facts.subject = catalog::one(session, &run.app, delete.backup, Some(&delete.blob)).await?;
        facts.is_held = holds::by_events(session, &run.app, delete).await?.is_some();
        facts.is_last = intent.spares_last() && is_last(session, &run.app, delete).await?;
    }
    for rivals in intent.rivals() {
        facts.rivals.extend(listing::list(session, &rivals).await?);
    }
    Ok(facts)
}

impl FromRow for Rival {
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let state: Option<RunState> = row.or_none(row.json("state_json").map(Some));
        let code = row.text("state")?;
        Ok(Self {
            id: row.id("id")?,
            app: row.or_none(row.parse("app").map(Some)),
            task: row.or_none(row.json("task").map(Some)),
            subject: row.maybe_text("subject")?,
            is_in_flight: state.map_or_else(|| IN_FLIGHT.contains(&&*code), |state| state.is_in_flight()),
        })
    }
}

/// The states in which Azure may be carrying out a run.
const IN_FLIGHT: [&str; 4] = ["starting", "reconciling", "polling", "polling_operation"];

struct IsLast(bool);

impl FromRow for IsLast {
    const KEY: &'static [&'static str] = &[];

    fn read(row: &Row<'_>) -> Result<Self> {
        row.bool("is_last").map(Self)
    }
}

/// Whether no other backup that stands in for this one is there and stays.
///
/// The rule is that of [`CatalogEntry`](holdfast_model::CatalogEntry): only a good backup stands in for a good one, only
/// a verified one for a verified one, and only good and partial backups are counted on. A backup that an unfinished run
/// deletes does not stay.
pub(super) async fn is_last(session: &mut impl Session, app: &AppId, delete: &Delete) -> Result<bool> {
    let last = "/* is_last */ SELECT EXISTS (
        SELECT 1 FROM catalog AS kept
        WHERE kept.app = $1 AND kept.backup_id = $2 AND kept.generation = (
            SELECT generation FROM catalog WHERE app = $1 AND backup_id = $2
            ORDER BY CASE WHEN blob = $3 THEN 0 ELSE 1 END, removed_at IS NOT NULL, generation DESC LIMIT 1)
          AND (kept.good OR kept.origin = 'partial' OR kept.good_once_verified) AND NOT EXISTS (
            SELECT 1 FROM catalog AS other
            WHERE other.app = kept.app AND (other.good OR NOT (kept.good OR coalesce(kept.good_once_verified, false))) AND other.removed_at IS NULL
              AND (other.verified_at IS NOT NULL OR kept.verified_at IS NULL)
              AND (other.backup_id <> kept.backup_id OR other.generation <> kept.generation)
              AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.app = other.app AND runs.ended_at IS NULL
                              AND runs.subject = 'delete ' || other.backup_id))) AS is_last";
    let args = vec![Arg::text(app), Arg::Int(delete.backup.0), Arg::text(&delete.blob)];
    let IsLast(is_last) = fetch_one(session, last, args).await?;
    Ok(is_last)
}
