//! Commit: compares a batch of changes with the rows as they were read, and says what to write.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{AppId, Run, RunId, RunState};

use crate::audit::{NewEvent, Placed};
use crate::change::{Change, Committed};
use crate::columns::stamp;
use crate::error::Error;
use crate::rules::catalog;
use crate::rules::catalog_change::{Caused, Number};
use crate::rules::intent::{Intent, IntentFacts, Rival};

/// The name of the operation in errors.
pub(crate) const COMMIT: &str = "commit a change of a run";

/// A batch of changes, each decided against its row. A batch holds at most one change of a run; a second one is stale.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    changes: Vec<Option<Decided<'a>>>,
}

/// A change to write.
#[derive(Debug)]
struct Decided<'a> {
    change: &'a Change,
    /// The state before the change.
    before: RunState,
    /// The row after the change.
    run: Run,
}

impl<'a> Batch<'a> {
    /// Compares each change with its row: it is stale unless the row is in that version and has not ended, and the events
    /// lead from the row to the change's state. A store that lost commits may count to the same version again; a change
    /// that was decided on a lost row then does not follow from the row that is there.
    pub fn new(changes: &'a [Change], mut rows: BTreeMap<RunId, Run>) -> Self {
        let decide = |change: &'a Change| {
            let is_current =
                |old: &Run| old.version == change.from && !old.state.is_ended() && follows(old, change);
            let old = rows.remove(&change.run.id).filter(is_current)?;
            let run = changed(&old, &change.run);
            Some(Decided { change, before: old.state, run })
        };
        Self { changes: changes.iter().map(decide).collect() }
    }

    /// The places of the changes that begin to delete or to read a backup.
    pub fn intents(&self) -> Vec<usize> {
        (0..self.changes.len()).filter(|place| self.intent(*place).is_some()).collect()
    }

    /// The run and the intent of the change at a place.
    pub fn intent(&self, place: usize) -> Option<(&Run, Intent<'_>)> {
        let Decided { change, run, .. } = self.changes.get(place)?.as_ref()?;
        Intent::of(run, &change.events).map(|intent| (run, intent))
    }

    /// Makes the change at a place stale when something stands in its way. Changes before it in the batch count as done:
    /// when one of them changes the catalog of the app, the facts are out of date, and the intent is decided again later.
    pub fn check_intent(&mut self, place: usize, mut facts: IntentFacts) {
        let Some((run, intent)) = self.intent(place) else { return };
        let mut is_overtaken = false;
        for earlier in self.changes.iter().take(place).flatten() {
            is_overtaken |= earlier.changes_catalog_of(&run.app);
            facts.rivals.retain(|rival| rival.id != earlier.run.id);
            facts.rivals.push(Rival::of(&earlier.run));
        }
        if is_overtaken || intent.is_hindered(run, &facts) {
            self.changes[place] = None;
        }
    }

    /// The rows to write, each with the version that it is written over.
    pub fn rows(&self) -> impl Iterator<Item = (&Run, i64)> {
        self.decided().map(|decided| (&decided.run, decided.change.from))
    }

    /// Makes the changes stale whose rows were not written, because another process was faster.
    pub fn retain_written(&mut self, written: &BTreeSet<RunId>) {
        for decided in &mut self.changes {
            *decided = decided.take().filter(|decided| written.contains(&decided.run.id));
        }
    }

    /// What the events, at their places in the audit, change in the catalog.
    pub fn catalog(&self, placed: &[Placed]) -> Vec<Caused> {
        let mut placed = placed;
        let changes = |decided: &Decided<'_>| {
            let events = &decided.change.events;
            let (own, others) = placed.split_at(events.len().min(placed.len()));
            placed = others;
            catalog::changes(Some(&decided.before), &decided.run, events, own)
        };
        self.decided().flat_map(changes).collect()
    }

    /// The numbers whose entries of the catalog the events change.
    pub fn catalog_numbers(&self) -> BTreeSet<Number> {
        let somewhere = |new: &NewEvent<'_>| Placed { seq: 0, at: new.at };
        let placed: Vec<Placed> = self.events().iter().map(somewhere).collect();
        self.catalog(&placed).iter().map(|caused| caused.change.number()).collect()
    }

    /// The events to append.
    pub fn events(&self) -> Vec<NewEvent<'_>> {
        let mut new = Vec::new();
        for Decided { change, run, .. } in self.decided() {
            new.extend(change.events.iter().map(|event| NewEvent { run, event, at: change.at }));
        }
        new
    }

    /// The result of each change, in their order.
    pub fn results(&self) -> Vec<Committed> {
        let result = |decided: &Option<Decided<'_>>| {
            decided.as_ref().map_or(Committed::Stale, |decided| Committed::Done(decided.run.version))
        };
        self.changes.iter().map(result).collect()
    }

    fn decided(&self) -> impl Iterator<Item = &Decided<'a>> {
        self.changes.iter().flatten()
    }
}

impl Decided<'_> {
    fn changes_catalog_of(&self, app: &AppId) -> bool {
        let placed = vec![Placed { seq: 0, at: self.change.at }; self.change.events.len()];
        let caused = catalog::changes(Some(&self.before), &self.run, &self.change.events, &placed);
        caused.iter().any(|caused| caused.change.number().0 == *app)
    }
}

/// Whether the change's events lead from `old` to the state and the failures of the change.
fn follows(old: &Run, change: &Change) -> bool {
    let after = change.events.iter().try_fold(old.clone(), |run, event| run.after(event, change.at));
    after.is_ok_and(|after| {
        (&after.state, &after.failure_counts) == (&change.run.state, &change.run.failure_counts)
    })
}

/// The row when `new` is written over `old`. What the run was created with stays.
fn changed(old: &Run, new: &Run) -> Run {
    Run {
        version: old.version + 1,
        state: new.state.clone(),
        failure_counts: new.failure_counts.clone(),
        due_at: stamp(new.due_at),
        ended_at: new.ended_at.map(stamp),
        ..old.clone()
    }
}

/// The error of a run that begins on an app that another run occupies.
pub(crate) fn app_is_occupied(run: RunId) -> Error {
    let what = format!("the app of run {run} is occupied by another run");
    Error::Inconsistent { operation: COMMIT, what }
}

#[cfg(test)]
mod tests {
    use holdfast_model::{
        App, AppId, Attempt, BackupId, BackupName, Cause, NewBackup, NewRun, PolicySnapshot, RunEvent,
        StorageName, Timestamp, Trigger,
    };

    use super::*;

    fn run(rng: &mut fastrand::Rng) -> Run {
        let at = Timestamp::UNIX_EPOCH;
        let app = App::new(AppId::new("s", "g", "shop", None));
        let snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
        NewRun::backup(
            RunId::new(at, rng),
            &app,
            &snapshot,
            NewBackup { tick: None, trigger: Trigger::Manual, due_at: at },
            at,
        )
        .run
    }

    fn defer(run: &Run, from: i64) -> Change {
        let at = Timestamp::UNIX_EPOCH;
        let event = RunEvent::Deferred { cause: Cause::Busy, detail: String::new(), until: at };
        Change { from, run: run.clone().after(&event, at).unwrap(), events: vec![event], at }
    }

    #[test]
    fn each_change_of_a_batch_is_compared_with_its_own_row() {
        let mut rng = fastrand::Rng::with_seed(1);
        let [current, moved, missing] = [run(&mut rng), run(&mut rng), run(&mut rng)];
        let rows = BTreeMap::from([current.clone(), moved.clone()].map(|run| (run.id, run)));
        let changes = [defer(&moved, 7), defer(&current, 1), defer(&missing, 1), defer(&current, 1)];
        let batch = Batch::new(&changes, rows);
        let stale = Committed::Stale;
        assert_eq!(batch.results(), [stale, Committed::Done(2), stale, stale]);
        assert_eq!(batch.rows().map(|(run, from)| (run.id, from)).collect::<Vec<_>>(), [(current.id, 1)]);
        assert_eq!(batch.events().len(), 1);
    }

    #[test]
    fn a_change_that_was_decided_on_a_row_that_the_store_lost_is_stale_in_any_version() {
        let at = Timestamp::UNIX_EPOCH;
        let mut rng = fastrand::Rng::with_seed(1);
        let run = run(&mut rng);
        let mut started = |run: &Run| {
            let attempt = Attempt {
                number: 1,
                name: BackupName::of_attempt(&run.app, run.id, 1, &mut rng),
                begun_at: at,
                sas: String::new(),
                sas_expiry: None,
                restored_before: None,
            };
            run.clone().after(&RunEvent::AttemptStarted { attempt, sas: None }, at).unwrap()
        };
        let (lost, current) = (started(&run), started(&run));
        let accepted = RunEvent::Accepted { backup: BackupId(1), accepted_at: at, request_id: None };
        let change = |row: &Run| {
            let (run, events) = (row.clone().after(&accepted, at).unwrap(), vec![accepted.clone()]);
            [Change { from: row.version, run, events, at }]
        };
        let rows = || BTreeMap::from([(current.id, current.clone())]);
        assert_eq!(Batch::new(&change(&lost), rows()).results(), [Committed::Stale]);
        assert_eq!(Batch::new(&change(&current), rows()).results(), [Committed::Done(2)]);
    }

    #[test]
    fn a_row_that_another_process_wrote_first_makes_its_change_stale() {
        let current = run(&mut fastrand::Rng::with_seed(1));
        let changes = [defer(&current, 1)];
        let mut batch = Batch::new(&changes, BTreeMap::from([(current.id, current)]));
        batch.retain_written(&BTreeSet::new());
        assert_eq!((batch.results(), batch.events().len()), (vec![Committed::Stale], 0));
    }
}
