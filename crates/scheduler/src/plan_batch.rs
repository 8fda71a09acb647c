//! Batches of cursor advances with a bounded number of runs. Pure.

use std::collections::BTreeSet;

use holdfast_model::AppId;
use holdfast_store::{CursorAdvance, Planned};

/// Runs of a batch after which it is full. One more advance may exceed it by as many ticks as one advance considers.
const RUNS_MAX: usize = 2_000;
/// Advances of a batch.
const ADVANCES_MAX: usize = 500;

/// Advances that are planned in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    advances: Vec<CursorAdvance>,
    runs: usize,
}

impl Batch {
    /// Adds an advance; returns the batch when it is full.
    pub fn add(&mut self, advance: CursorAdvance) -> Option<Vec<CursorAdvance>> {
        self.runs += advance.runs.len();
        self.advances.push(advance);
        let is_full = self.runs >= RUNS_MAX || self.advances.len() >= ADVANCES_MAX;
        is_full.then(|| self.take())
    }

    /// The advances so far; leaves an empty batch.
    pub fn take(&mut self) -> Vec<CursorAdvance> {
        self.runs = 0;
        std::mem::take(&mut self.advances)
    }
}

/// The work of one pass.
#[derive(Debug, Default)]
pub(crate) struct Planning {
    pub planned: Planned,
    /// Transactions that failed.
    pub failures: u32,
    /// Apps whose advance failed alone. They are passed over until the next pass.
    pub failed: BTreeSet<AppId>,
}

impl Planning {
    pub fn add(&mut self, planned: Planned) {
        self.planned.runs += planned.runs;
        self.planned.missed += planned.missed;
        self.planned.conflicts += planned.conflicts;
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::{
        App, NewBackup, NewRun, PolicyName, PolicySnapshot, RunId, StorageName, Timestamp, Trigger,
    };
    use holdfast_store::Cursor;

    use super::*;

    fn advance(runs: usize, rng: &mut fastrand::Rng) -> CursorAdvance {
        let (app, at) = (App::new(AppId::new("s", "g", "shop", None)), Timestamp::UNIX_EPOCH);
        let snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
        let mut run = || {
            let backup = NewBackup { tick: None, trigger: Trigger::Schedule, due_at: at };
            NewRun::backup(RunId::new(at, rng), &app, &snapshot, backup, at)
        };
        let cursor = Cursor {
            app: app.id.clone(),
            policy: PolicyName::new("gold"),
            fingerprint: "daily".into(),
            through: at,
            next_at: at,
            unfinished: 0,
            pause: None,
        };
        CursorAdvance { cursor, through: at, next_at: None, runs: (0..runs).map(|_| run()).collect() }
    }

    fn sizes(advances: usize, runs: usize) -> Vec<usize> {
        let (mut batch, mut rng) = (Batch::default(), fastrand::Rng::with_seed(1));
        let mut batches: Vec<_> = (0..advances).filter_map(|_| batch.add(advance(runs, &mut rng))).collect();
        batches.push(batch.take());
        batches.iter().map(|batch| batch.iter().map(|advance| advance.runs.len()).sum()).collect()
    }

    #[test]
    fn a_batch_has_a_bounded_number_of_runs_however_many_ticks_were_missed() {
        assert_eq!(sizes(5, 720), [2_160, 1_440]);
        assert_eq!(sizes(1_000, 1), [500, 500, 0]);
    }
}
