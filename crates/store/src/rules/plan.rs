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

#[cfg(test)]
mod tests {
    use holdfast_model::{PolicyName, Timestamp};

    use super::*;

    fn advance(app: &str) -> CursorAdvance {
        let cursor = Cursor {
            app: AppId::new("s", "g", app, None),
            policy: PolicyName::new("gold"),
            fingerprint: "daily".into(),
            through: Timestamp::UNIX_EPOCH,
            next_at: Timestamp::UNIX_EPOCH,
            unfinished: 0,
            pause: None,
        };
        CursorAdvance { cursor, through: Timestamp::UNIX_EPOCH, next_at: None, runs: Vec::new() }
    }

    #[test]
    fn a_batch_has_one_advance_of_an_app_and_at_most_as_many_as_asked() {
        let plans = ["a", "b", "a", "c", "d", "e"].map(advance);
        let lengths: Vec<usize> = batches(&plans, 3).map(<[_]>::len).collect();
        assert_eq!(lengths, [2, 3, 1]);
    }

    #[test]
    fn advances_of_cursors_that_did_not_move_are_conflicts() {
        let plans = ["a", "b"].map(advance);
        let moved = BTreeSet::from([plans[1].cursor.app.to_string()]);
        let mut planned = Planned::default();
        assert!(runs_of(&plans, &moved, &mut planned).is_empty());
        assert_eq!(planned.conflicts, 1);
    }
}
