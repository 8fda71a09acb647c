//! Insert: which rows, catalog changes and events a batch of new runs makes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use holdfast_model::{NewRun, Run, RunEvent, RunId, Timestamp};

use crate::audit::{NewEvent, Placed};
use crate::columns::stamp;
use crate::error::Error;
use crate::rules::catalog;
use crate::rules::catalog_change::{Caused, Number};
use crate::rules::instructions::Instructions;

/// New runs as they are stored, each with the event that makes it.
#[derive(Debug)]
pub(crate) struct Insertion<'a> {
    runs: Vec<(Cow<'a, Run>, &'a RunEvent)>,
}

impl<'a> Insertion<'a> {
    /// The rows of `new`.
    pub fn new(new: impl IntoIterator<Item = &'a NewRun>) -> Self {
        Self { runs: new.into_iter().map(|new| (stored(&new.run), &new.event)).collect() }
    }

    /// The rows.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().map(|(run, _)| run.as_ref())
    }

    /// Leaves out the runs whose tick or subject is taken. Returns the ids of those left out.
    pub fn retain(&mut self, mut is_added: impl FnMut(&Run) -> bool) -> Vec<RunId> {
        let (added, left_out) =
            std::mem::take(&mut self.runs).into_iter().partition::<Vec<_>, _>(|(run, _)| is_added(run));
        self.runs = added;
        left_out.into_iter().map(|(run, _)| run.id).collect()
    }

    /// What the events, at their places in the audit, change in the catalog.
    pub fn catalog(&self, placed: &[Placed]) -> Vec<Caused> {
        let changes = |((run, event), placed): (&(Cow<'_, Run>, &RunEvent), &Placed)| {
            catalog::changes(None, run, std::slice::from_ref(*event), std::slice::from_ref(placed))
        };
        self.runs.iter().zip(placed).flat_map(changes).collect()
    }

    /// What the events, at their places in the audit, instruct about apps.
    pub fn instructions(&self, placed: &[Placed]) -> Instructions {
        let events = self.runs.iter().zip(placed);
        Instructions::of(events.map(|((run, event), placed)| (&run.app, *event, placed.at)))
    }

    /// The numbers whose entries of the catalog the events change.
    pub fn catalog_numbers(&self) -> BTreeSet<Number> {
        let placed = vec![Placed { seq: 0, at: Timestamp::UNIX_EPOCH }; self.runs.len()];
        self.catalog(&placed).iter().map(|caused| caused.change.number()).collect()
    }

    /// The events to append.
    pub fn events(&self, now: Timestamp) -> Vec<NewEvent<'_>> {
        self.runs.iter().map(|(run, event)| NewEvent { run, event, at: now }).collect()
    }
}

/// A new run as it is stored. Most are stored as they are.
fn stored(new: &Run) -> Cow<'_, Run> {
    let times = [Some(new.created_at), Some(new.due_at), new.tick, new.ended_at];
    if new.version == 1 && times.into_iter().flatten().all(|time| time == stamp(time)) {
        return Cow::Borrowed(new);
    }
    Cow::Owned(Run {
        version: 1,
        tick: new.tick.map(stamp),
        created_at: stamp(new.created_at),
        due_at: stamp(new.due_at),
        ended_at: new.ended_at.map(stamp),
        ..new.clone()
    })
}

/// Why a run was left out.
pub(crate) fn left_out(operation: &'static str, run: &Run) -> Error {
    let what = match run.task.subject() {
        Some(subject) => format!("run {}: another run for it is unfinished ({subject})", run.id),
        None => format!("the tick of run {} has a run", run.id),
    };
    Error::Inconsistent { operation, what }
}

/// The error of a run whose id is taken.
pub(crate) fn id_is_taken(operation: &'static str, id: RunId) -> Error {
    Error::Inconsistent { operation, what: format!("run {id} exists already") }
}
