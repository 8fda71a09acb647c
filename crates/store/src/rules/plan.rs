//! Plan: which advances apply, and what of their runs counts as planned or missed.

use std::collections::BTreeSet;

use holdfast_model::{AppId, NewRun, RunId};

use crate::fleet::{Cursor, CursorAdvance, Planned};

/// Splits advances into batches of at most `most`. A second advance of one app starts a new batch, because it meets the
/// cursor as the first one left it.
pub(crate) fn batches(mut plans: &[CursorAdvance], most: usize) -> impl Iterator<Item = &[CursorAdvance]> {
    std::iter::from_fn(move || {
        let mut apps: BTreeSet<&AppId> = BTreeSet::new();
        let count = plans.iter().take(most).take_while(|plan| apps.insert(&plan.cursor.app)).count();
        let (batch, rest) = plans.split_at(count);
        plans = rest;
        (count > 0).then_some(batch)
    })
}

/// Whether an advance applies to its cursor as the store has it now.
pub(crate) fn is_current(now: &Cursor, plan: &CursorAdvance) -> bool {
    let read = &plan.cursor;
    (&now.policy, now.through, &now.fingerprint) == (&read.policy, read.through, &read.fingerprint)
}

/// The runs of the advances that applied to the cursors of `moved`; the others are counted as conflicts.
pub(crate) fn runs_of<'a>(
    batch: &'a [CursorAdvance],
    moved: &BTreeSet<String>,
    planned: &mut Planned,
) -> Vec<&'a NewRun> {
    let (applied, conflicts): (Vec<_>, Vec<_>) =
        batch.iter().partition(|plan| moved.contains(&plan.cursor.app.to_string()));
    planned.conflicts += conflicts.len() as u64;
    applied.into_iter().flat_map(|plan| &plan.runs).collect()
}

/// Counts the runs that were added.
pub(crate) fn count(planned: &mut Planned, new: &[&NewRun], added: &BTreeSet<RunId>) {
    for new in new.iter().filter(|new| added.contains(&new.run.id)) {
        let count = if new.run.state.is_ended() { &mut planned.missed } else { &mut planned.runs };
        *count += 1;
    }
}
