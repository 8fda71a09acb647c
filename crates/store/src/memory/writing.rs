//! What changes the fleet, the cursors and the runs.

use holdfast_model::{NewRun, Run, RunKind, Timestamp};

use super::state::{Row, State, subject};
use crate::columns::{changed, not_added, stamp, stored};
use crate::intent::Intent;
use crate::{
    Change, Committed, Cursor, CursorAdvance, Enrolled, Error, FleetChange, Planned, catalog, enrolment,
};

impl State {
    pub fn sync_fleet(&mut self, fleet: &[Enrolled], now: Timestamp) -> FleetChange {
        let sync = enrolment::sync(&self.apps, &self.cursors, fleet, now);
        self.apps.extend(sync.apps.into_iter().map(|row| (row.enrolled.app.id.clone(), row)));
        sync.dropped.iter().for_each(|app| drop(self.cursors.remove(app)));
        self.cursors.extend(sync.cursors.into_iter().map(|cursor| (cursor.app.clone(), cursor)));
        sync.change
    }

    pub fn cursors_due(&self, most: u32, now: Timestamp) -> Vec<Cursor> {
        let mut due: Vec<&Cursor> = self.cursors.values().filter(|cursor| cursor.next_at <= now).collect();
        due.sort_by_cached_key(|cursor| (cursor.next_at, cursor.app.to_string()));
        let unfinished = |cursor: &Cursor| {
            let under = |row: &&Row| {
                let backup = row.run.task.kind() == RunKind::Backup;
                backup && row.run.policy.as_ref() == Some(&cursor.policy) && !row.run.state.is_ended()
            };
            self.rows_of(&cursor.app).filter(under).count() as u64
        };
        due.into_iter()
            .take(most as usize)
            .map(|cursor| Cursor { unfinished: unfinished(cursor), ..cursor.clone() })
            .collect()
    }

    pub fn plan(&mut self, plans: &[CursorAdvance], now: Timestamp) -> Result<Planned, Error> {
        let current =
            |plan: &&CursorAdvance| self.cursors.get(&plan.cursor.app).is_some_and(|now| as_read(now, plan));
        let kept = plans.iter().filter(current);
        kept.flat_map(|plan| &plan.runs).try_for_each(|new| self.is_new("plan runs", &new.run))?;
        let mut planned = Planned::default();
        for plan in plans {
            let Some(cursor) = self.cursors.get_mut(&plan.cursor.app).filter(|now| as_read(now, plan)) else {
                planned.conflicts += 1;
                continue;
            };
            match plan.next_at {
                Some(next_at) => {
                    cursor.through = stamp(plan.through);
                    cursor.next_at = stamp(next_at);
                }
                None => drop(self.cursors.remove(&plan.cursor.app)),
            }
            for new in &plan.runs {
                if self.insert(new, now) {
                    let count =
                        if new.run.state.is_ended() { &mut planned.missed } else { &mut planned.runs };
                    *count += 1;
                }
            }
        }
        Ok(planned)
    }

    pub fn add_run(&mut self, new: &NewRun, now: Timestamp) -> Result<(), Error> {
        const OPERATION: &str = "add a run";
        self.is_new(OPERATION, &new.run)?;
        if self.insert(new, now) { Ok(()) } else { Err(not_added(OPERATION, &new.run)) }
    }

    pub fn add_runs(&mut self, new: &[NewRun], now: Timestamp) -> Result<u64, Error> {
        new.iter().try_for_each(|new| self.is_new("add runs", &new.run))?;
        Ok(new.iter().filter(|new| self.insert(new, now)).count() as u64)
    }

    pub fn commit(&mut self, change: &Change) -> Result<Committed, Error> {
        let id = change.run.id;
        let current = |row: &&Row| row.run.version == change.from && !row.run.state.is_ended();
        let Some(old) = self.row(id).filter(current) else { return Ok(Committed::Stale) };
        let run = changed(&old.run, &change.run);
        if Intent::of(&run, &change.events).is_some_and(|intent| self.is_hindered(&run, intent)) {
            return Ok(Committed::Stale);
        }
        let occupies_app = run.occupies_app();
        if occupies_app && self.held.get(&run.app).is_some_and(|holder| *holder != id) {
            let what = format!("the app of run {id} is held by another run");
            return Err(Error::Inconsistent { operation: "commit a change of a run", what });
        }
        let catalog = catalog::changes(Some(&old.run.state), &run, &change.events, change.at);
        self.append(&run, &change.events, change.at);
        self.change_catalog(catalog);
        let version = run.version;
        self.put(Row { run, leased_until: None, occupies_app });
        Ok(Committed::Done(version))
    }

    fn is_new(&self, operation: &'static str, run: &Run) -> Result<(), Error> {
        match self.row(run.id) {
            None => Ok(()),
            Some(_) => {
                Err(Error::Inconsistent { operation, what: format!("run {} is there already", run.id) })
            }
        }
    }

    /// Adds a run unless its tick has one, or an unfinished one has its subject.
    fn insert(&mut self, new: &NewRun, now: Timestamp) -> bool {
        let run = stored(&new.run);
        if subject(&run).is_some_and(|subject| self.subjects.contains(&subject)) {
            return false;
        }
        if let (Some(policy), Some(tick)) = (&run.policy, run.tick)
            && !self.ticks.insert((policy.clone(), run.app.clone(), tick))
        {
            return false;
        }
        let events = std::slice::from_ref(&new.event);
        self.append(&run, events, now);
        self.change_catalog(catalog::changes(None, &run, events, now));
        self.put(Row { run, leased_until: None, occupies_app: false });
        true
    }
}

/// Is the cursor still where the plan read it?
fn as_read(now: &Cursor, plan: &CursorAdvance) -> bool {
    let then = &plan.cursor;
    (&now.policy, now.through, &now.fingerprint) == (&then.policy, then.through, &then.fingerprint)
}
