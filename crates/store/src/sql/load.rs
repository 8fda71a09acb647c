//! Loading a run with what its next step needs.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{AppId, Run, RunId, Task, Timestamp};

use crate::change::{HeldLease, Loaded, PastDurations};
use crate::columns::later;
use crate::error::Result;
use crate::rules::load::{Baseline, LoadFacts, loaded};
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;
use crate::sql::{catalog, holds, intents};

pub(super) const LOAD: &str = "load a run";
pub(super) const LOAD_ALL: &str = "load runs";
pub(super) const PAST_DURATIONS: &str = "read how long backups took";

struct LoadRow {
    run: Run,
    now: Option<Timestamp>,
    lease: Option<HeldLease>,
    baselines: Vec<Baseline>,
    has_unsettled: bool,
}

impl FromRow for LoadRow {
    const KEY: &'static [&'static str] = Run::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            run: Run::read(row)?,
            now: row.maybe_time("now")?,
            lease: row
                .maybe_time("leased_until")?
                .zip(row.maybe_int("lease_nonce")?)
                .map(|(until, nonce)| HeldLease { until, nonce }),
            baselines: baselines(row)?,
            has_unsettled: row.bool("has_unsettled")?,
        })
    }
}

fn baselines(row: &Row<'_>) -> Result<Vec<Baseline>> {
    let columns: Option<Vec<(Option<i64>, Option<i64>)>> = row.maybe_json("baselines")?;
    let baseline = |(took_ms, size_bytes): (Option<i64>, Option<i64>)| Baseline {
        took: took_ms.and_then(|took| u64::try_from(took).ok()).map(Duration::from_millis),
        size_bytes,
    };
    Ok(columns.into_iter().flatten().map(baseline).collect())
}

pub(super) async fn load<S: Session>(session: &mut S, id: RunId) -> Result<Option<Loaded>> {
    Ok(load_all(session, &[id]).await?.into_iter().next().flatten())
}

/// Loads runs, in the order of `ids`.
pub(super) async fn load_all<S: Session>(session: &mut S, ids: &[RunId]) -> Result<Vec<Option<Loaded>>> {
    let rows: Vec<LoadRow> = session.fetch(S::DIALECT.load, vec![Arg::json(ids)]).await?;
    let mut loaded = BTreeMap::new();
    for row in rows {
        loaded.insert(row.run.id, with_subject(session, row).await?);
    }
    Ok(ids.iter().map(|id| loaded.remove(id)).collect())
}

/// Reads the backup that a run is about, and what a deletion must know of it.
async fn with_subject(session: &mut impl Session, row: LoadRow) -> Result<Loaded> {
    let LoadRow { run, now, lease, baselines, has_unsettled } = row;
    let now = session.now_beside(now);
    let mut subject = match run.task.backup(&run.app) {
        Some((app, backup)) => catalog::one(session, app, backup, run.task.blob()).await?,
        None => None,
    };
    let is_last = match &run.task {
        Task::Delete(delete) => intents::is_last(session, &run.app, delete).await?,
        _ => false,
    };
    if let (Task::Delete(delete), Some(subject)) = (&run.task, &mut subject)
        && subject.hold.is_none()
    {
        subject.hold = holds::by_events(session, &run.app, delete).await?;
    }
    Ok(loaded(run, now, LoadFacts { baselines, has_unsettled, subject, is_last, lease }))
}

struct DurationsRow {
    app: AppId,
    durations: PastDurations,
}

impl FromRow for DurationsRow {
    const TABLE: &'static str = "apps";
    const KEY: &'static [&'static str] = &["app"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            app: row.parse("app")?,
            durations: baselines(row)?.iter().filter_map(|baseline| baseline.took).collect(),
        })
    }
}

pub(super) async fn past_durations<S: Session>(session: &mut S) -> Result<BTreeMap<AppId, PastDurations>> {
    let rows: Vec<DurationsRow> = fetch_readable(session, S::DIALECT.past_durations, Vec::new()).await?;
    let has_past = rows.into_iter().filter(|row| !row.durations.is_empty());
    Ok(has_past.map(|DurationsRow { app, durations }| (app, durations)).collect())
}

/// For how long a run waits that cannot be read, so that it occupies its app and its plan only now and then.
const PUT_OFF: Duration = Duration::from_mins(10);

/// Ends the lease of a run that cannot be loaded, and makes it due again later.
pub(super) async fn put_off(session: &mut impl Session, id: RunId) -> Result<()> {
    const PUT_OFF_RUN: &str = "/* put_off */ UPDATE runs SET version = version + 1, due_at = $2
        WHERE id = $1 AND ended_at IS NULL
          AND EXISTS (SELECT 1 FROM unfinished_runs WHERE id = $1 AND leased_until IS NOT NULL)";
    const PUT_OFF_PLACE: &str = "/* put_off */ UPDATE unfinished_runs
        SET version = version + 1, due_at = $2, leased_until = NULL,
            occupies_app = (SELECT occupies_app AND state IN ('starting', 'reconciling', 'polling', 'polling_operation')
                FROM runs WHERE runs.id = unfinished_runs.id)
        WHERE id = $1 AND leased_until IS NOT NULL";
    let due_at = later(session.now().await?, PUT_OFF);
    for statement in [PUT_OFF_RUN, PUT_OFF_PLACE] {
        session.execute(statement, vec![Arg::Id(id), Arg::Time(due_at)]).await?;
    }
    Ok(())
}
