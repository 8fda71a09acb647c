//! Listing runs, newest first.

use holdfast_model::{RunKind, StateCode};

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
    ORDER BY created_at DESC, id DESC LIMIT $3";

const UNFINISHED: &str = "/* list */ SELECT * FROM runs
    WHERE CAST($1 AS text) IS NULL AND (CAST($2 AS text) IS NULL OR state = $2)
        AND (CAST($4 AS text) IS NULL OR kind = $4) AND $5 = $5 AND ended_at IS NULL
    ORDER BY created_at DESC, id DESC LIMIT $3";

const OF_KIND: &str = "/* list_of_kind */ SELECT * FROM runs
    WHERE CAST($1 AS text) IS NULL AND (CAST($2 AS text) IS NULL OR state = $2)
        AND kind = $4 AND kind <> 'backup' AND ($5 OR ended_at IS NULL)
    ORDER BY created_at DESC, id DESC LIMIT $3";

const UNFINISHED_OF_KIND: &str = "/* list_unfinished_of_kind */ SELECT * FROM runs
    WHERE CAST($1 AS text) IS NULL AND (CAST($2 AS text) IS NULL OR state = $2)
        AND kind = $4 AND kind <> 'backup' AND $5 = $5 AND ended_at IS NULL
    ORDER BY created_at DESC, id DESC LIMIT $3";

const OF_APP: &str = "/* list */ SELECT * FROM runs
    WHERE app = $1 AND (CAST($2 AS text) IS NULL OR state = $2)
        AND (CAST($4 AS text) IS NULL OR kind = $4) AND ($5 OR ended_at IS NULL)
    ORDER BY created_at DESC, id DESC LIMIT $3";

const OF_APP_AND_KIND: &str = "/* list_of_app_and_kind */ SELECT * FROM runs
    WHERE app = $1 AND (CAST($2 AS text) IS NULL OR state = $2)
        AND kind = $4 AND kind <> 'backup' AND ($5 OR ended_at IS NULL)
    ORDER BY created_at DESC, id DESC LIMIT $3";

/// Lists what can be read of runs as `T`.
pub(super) async fn list<T: FromRow>(session: &mut impl Session, filter: &RunFilter) -> Result<Vec<T>> {
    let text = |text: Option<&'static str>| Arg::MaybeText(text.map(ToOwned::to_owned));
    let args = |limit| {
        vec![
            Arg::MaybeText(filter.app.as_ref().map(ToString::to_string)),
            text(filter.state.map(StateCode::as_str)),
            limit,
            text(filter.kind.map(RunKind::as_str)),
            Arg::Bool(!filter.unfinished),
        ]
    };
    fetch_most(session, statement(filter), filter.most, args).await
}

fn statement(filter: &RunFilter) -> &'static str {
    let is_of_few = filter.kind.is_some_and(|kind| kind != RunKind::Backup);
    match (filter.app.is_some(), is_of_few, filter.unfinished) {
        (false, false, false) => OF_ALL,
        (false, false, true) => UNFINISHED,
        (false, true, false) => OF_KIND,
        (false, true, true) => UNFINISHED_OF_KIND,
        (true, false, _) => OF_APP,
        (true, true, _) => OF_APP_AND_KIND,
    }
}
