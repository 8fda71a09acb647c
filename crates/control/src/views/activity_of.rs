//! Reads pages of runs.

use std::collections::BTreeMap;

use holdfast_model::{Cause, Run, RunId, RunKind, StateCode, Timestamp};
use holdfast_store::{RunFilter, RunPlace, Store};

use crate::Error;
use crate::runs::RunView;
use crate::views::activity::{ActivityPage, ActivityQuery, CauseCount};
use crate::views::cause_advice::{advice, label};
use crate::views::cursor;
use crate::views::end_forecast::end_forecasts;

/// Reads a page of runs: at most `most`. Asks the store with two statements, which no number of runs slows.
pub async fn activity(
    store: &dyn Store,
    now: Timestamp,
    query: &ActivityQuery,
    most: u32,
) -> Result<ActivityPage, Error> {
    let place = |cursor: &String| {
        let (created_at, id): (Timestamp, RunId) = cursor::decode(cursor)?;
        Ok::<_, Error>(RunPlace { created_at, id })
    };
    let filter = RunFilter {
        app: query.app.clone(),
        kind: query.kind,
        outcomes: query.outcomes.clone(),
        cause: query.cause,
        trigger: query.trigger,
        unfinished: query.unfinished,
        after: query.after.as_ref().map(place).transpose()?,
        most: most.saturating_add(1),
        ..RunFilter::default()
    };
    let mut runs = store.runs(&filter).await?;
    let next = cut(&mut runs, most);
    let rows: Vec<RunView> = runs.iter().map(RunView::from).collect();
    let works = |run: &&RunView| run.kind == RunKind::Backup && run.state == StateCode::Polling;
    let working: Vec<RunId> = rows.iter().filter(works).map(|run| run.id).collect();
    let ends = end_forecasts(store, &working).await?;
    Ok(ActivityPage { as_of: now, causes: causes(&rows), rows, ends, next })
}

/// Leaves at most `most` runs, and returns the cursor of the others.
pub fn cut(runs: &mut Vec<Run>, most: u32) -> Option<String> {
    let has_more = runs.len() > most as usize;
    runs.truncate(most as usize);
    runs.last().filter(|_| has_more).map(|last| cursor::encode(&(last.created_at, last.id)))
}

fn causes(rows: &[RunView]) -> Vec<CauseCount> {
    let mut counts: BTreeMap<Cause, u64> = BTreeMap::new();
    for cause in rows.iter().filter_map(|run| run.cause) {
        *counts.entry(cause).or_default() += 1;
    }
    let count = |(cause, runs): (Cause, u64)| CauseCount {
        cause,
        label: label(cause).to_owned(),
        advice: advice(cause).to_owned(),
        runs,
    };
    let mut causes: Vec<CauseCount> = counts.into_iter().map(count).collect();
    causes.sort_by_key(|count| (std::cmp::Reverse(count.runs), count.cause));
    causes
}
