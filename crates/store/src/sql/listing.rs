//! Listing runs, newest first.

use holdfast_model::{Cause, Outcome, RunId, RunKind, StateCode, Timestamp, Trigger};

use crate::columns::stamp;
use crate::error::Result;
use crate::filter::RunFilter;
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_most;
use crate::sql::row::FromRow;
use crate::sql::session::Session;

pub(super) const LIST: &str = "list runs";

// Each statement has its own index, and repeats that index's conditions. Indexes by kind cover all kinds but backups.

const OF_ALL: &str = "/* list */ SELECT * FROM runs
    WHERE CAST($1 AS text) IS NULL AND (CAST($2 AS text) IS NULL OR state = $2)
        AND (CAST($4 AS text) IS NULL OR kind = $4) AND ($5 OR ended_at IS NULL)
        AND (CAST($6 AS text) IS NULL OR trigger = $6)
        AND (CAST($7 AS text) IS NULL OR $7 LIKE '%,' || outcome || ',%')
        AND (CAST($8 AS text) IS NULL OR ended_at IS NOT NULL AND cause = $8) AND (created_at, id) < ($9, $10)
    ORDER BY created_at DESC, id DESC LIMIT $3";

const UNFINISHED: &str = "/* list */ SELECT * FROM runs
    WHERE CAST($1 AS text) IS NULL AND (CAST($2 AS text) IS NULL OR state = $2)
        AND (CAST($4 AS text) IS NULL OR kind = $4) AND $5 = $5 AND ended_at IS NULL
        AND (CAST($6 AS text) IS NULL OR trigger = $6)
        AND (CAST($7 AS text) IS NULL OR $7 LIKE '%,' || outcome || ',%')
        AND (CAST($8 AS text) IS NULL OR ended_at IS NOT NULL AND cause = $8) AND (created_at, id) < ($9, $10)
    ORDER BY created_at DESC, id DESC LIMIT $3";

const OF_KIND: &str = "/* list_of_kind */ SELECT * FROM runs
    WHERE CAST($1 AS text) IS NULL AND (CAST($2 AS text) IS NULL OR state = $2)
        AND kind = $4 AND kind <> 'backup' AND ($5 OR ended_at IS NULL)
        AND (CAST($6 AS text) IS NULL OR trigger = $6)
        AND (CAST($7 AS text) IS NULL OR $7 LIKE '%,' || outcome || ',%')
        AND (CAST($8 AS text) IS NULL OR ended_at IS NOT NULL AND cause = $8) AND (created_at, id) < ($9, $10)
    ORDER BY created_at DESC, id DESC LIMIT $3";

const UNFINISHED_OF_KIND: &str = "/* list_unfinished_of_kind */ SELECT * FROM runs
    WHERE CAST($1 AS text) IS NULL AND (CAST($2 AS text) IS NULL OR state = $2)
        AND kind = $4 AND kind <> 'backup' AND $5 = $5 AND ended_at IS NULL
        AND (CAST($6 AS text) IS NULL OR trigger = $6)
        AND (CAST($7 AS text) IS NULL OR $7 LIKE '%,' || outcome || ',%')
        AND (CAST($8 AS text) IS NULL OR ended_at IS NOT NULL AND cause = $8) AND (created_at, id) < ($9, $10)
    ORDER BY created_at DESC, id DESC LIMIT $3";

const OF_APP: &str = "/* list */ SELECT * FROM runs
    WHERE app = $1 AND (CAST($2 AS text) IS NULL OR state = $2)
        AND (CAST($4 AS text) IS NULL OR kind = $4) AND ($5 OR ended_at IS NULL)
        AND (CAST($6 AS text) IS NULL OR trigger = $6)
        AND (CAST($7 AS text) IS NULL OR $7 LIKE '%,' || outcome || ',%')
        AND (CAST($8 AS text) IS NULL OR ended_at IS NOT NULL AND cause = $8) AND (created_at, id) < ($9, $10)
    ORDER BY created_at DESC, id DESC LIMIT $3";

const OF_APP_AND_KIND: &str = "/* list_of_app_and_kind */ SELECT * FROM runs
    WHERE app = $1 AND (CAST($2 AS text) IS NULL OR state = $2)
        AND kind = $4 AND kind <> 'backup' AND ($5 OR ended_at IS NULL)
        AND (CAST($6 AS text) IS NULL OR trigger = $6)
        AND (CAST($7 AS text) IS NULL OR $7 LIKE '%,' || outcome || ',%')
        AND (CAST($8 AS text) IS NULL OR ended_at IS NOT NULL AND cause = $8) AND (created_at, id) < ($9, $10)
    ORDER BY created_at DESC, id DESC LIMIT $3";

const UNSUCCESSFUL: &str = "/* list_unsuccessful */ SELECT * FROM runs
    WHERE CAST($1 AS text) IS NULL AND (CAST($2 AS text) IS NULL OR state = $2)
        AND (CAST($4 AS text) IS NULL OR kind = $4) AND $5 = $5 AND outcome <> 'succeeded'
        AND (CAST($6 AS text) IS NULL OR trigger = $6)
        AND (CAST($7 AS text) IS NULL OR $7 LIKE '%,' || outcome || ',%')
        AND (CAST($8 AS text) IS NULL OR ended_at IS NOT NULL AND cause = $8) AND (created_at, id) < ($9, $10)
    ORDER BY created_at DESC, id DESC LIMIT $3";

const OF_TRIGGER: &str = "/* list_of_trigger */ SELECT * FROM runs
    WHERE CAST($1 AS text) IS NULL AND (CAST($2 AS text) IS NULL OR state = $2)
        AND (CAST($4 AS text) IS NULL OR kind = $4) AND ($5 OR ended_at IS NULL) AND trigger <> 'schedule'
        AND trigger = $6
        AND (CAST($7 AS text) IS NULL OR $7 LIKE '%,' || outcome || ',%')
        AND (CAST($8 AS text) IS NULL OR ended_at IS NOT NULL AND cause = $8) AND (created_at, id) < ($9, $10)
    ORDER BY created_at DESC, id DESC LIMIT $3";

/// Lists what can be read of runs as `T`.
pub(super) async fn list<T: FromRow>(session: &mut impl Session, filter: &RunFilter) -> Result<Vec<T>> {
    let after = filter.after;
    let text = |text: Option<&'static str>| Arg::MaybeText(text.map(ToOwned::to_owned));
    let args = |limit| {
        vec![
            Arg::MaybeText(filter.app.as_ref().map(ToString::to_string)),
            text(filter.state.map(StateCode::as_str)),
            limit,
            text(filter.kind.map(RunKind::as_str)),
            Arg::Bool(!filter.unfinished),
            text(filter.trigger.map(Trigger::as_str)),
            Arg::MaybeText(outcomes(filter)),
            text(filter.cause.map(Cause::as_str)),
            Arg::Time(stamp(after.map_or(Timestamp::MAX_UTC, |after| after.created_at))),
            Arg::Id(after.map_or(RunId::LAST, |after| after.id)),
        ]
    };
    fetch_most(session, statement(filter), filter.most, args).await
}

/// The outcomes with a comma before and after each; `None` for all.
fn outcomes(filter: &RunFilter) -> Option<String> {
    let names: Vec<&str> = filter.outcomes.iter().map(|outcome| outcome.as_str()).collect();
    (!names.is_empty()).then(|| format!(",{},", names.join(",")))
}

fn statement(filter: &RunFilter) -> &'static str {
    let is_of_few = filter.kind.is_some_and(|kind| kind != RunKind::Backup);
    let is_unsuccessful = filter.cause.is_some()
        || !filter.outcomes.is_empty() && !filter.outcomes.contains(&Outcome::Succeeded);
    let is_of_trigger = filter.trigger.is_some_and(|trigger| trigger != Trigger::Schedule);
    match (filter.app.is_some(), is_of_few, filter.unfinished) {
        (false, false, false) if is_unsuccessful => UNSUCCESSFUL,
        (false, false, false) if is_of_trigger => OF_TRIGGER,
        (false, false, false) => OF_ALL,
        (false, false, true) => UNFINISHED,
        (false, true, false) => OF_KIND,
        (false, true, true) => UNFINISHED_OF_KIND,
        (true, false, _) => OF_APP,
        (true, true, _) => OF_APP_AND_KIND,
    }
}
