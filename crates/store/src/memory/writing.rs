//! Operations that change the fleet, the cursors and the runs.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{NewRun, Run, RunId, SubscriptionId, Timestamp};

use crate::breaker::{BreakerRecord, OpenBreaker};
use crate::change::{Change, Committed};
use crate::columns::stamp;
use crate::error::Result;
use crate::fleet::{CursorAdvance, FleetChange, Planned};
use crate::memory::state::{Row, State};
use crate::rules::commit::{Batch, app_is_occupied};
use crate::rules::enrolment::{self, SyncPoint, Wanted};
use crate::rules::insert::{Insertion, id_is_taken, left_out};
use crate::rules::instructions::Instructions;
use crate::rules::plan;
use crate::rules::subscriptions::Recorded;
use crate::subscriptions::Listing;

impl State {
    pub fn sync_fleet(&mut self, wanted: Wanted<'_>, now: Timestamp) -> Result<FleetChange> {
        let seq = self.audit().last().map_or(0, |event| event.link.seq);
        let sync = enrolment::sync(&self.apps, &self.cursors, wanted, SyncPoint { now, seq });
        self.none_exists("sync the fleet", sync.records.iter().copied())?;
        self.apps.extend(sync.apps.into_iter().map(|row| (row.enrolled.app.id.clone(), row)));
        sync.dropped.iter().for_each(|app| drop(self.cursors.remove(app)));
        self.cursors.extend(sync.cursors.into_iter().map(|cursor| (cursor.app.clone(), cursor)));
        self.insert(sync.records.into_iter().chain(&sync.changes), now);
        Ok(sync.change)
    }

    pub fn record_listings(&mut self, listings: &[Listing], now: Timestamp) {
        for listing in listings {
            let old = self.listings.remove(&listing.subscription);
            self.listings.insert(listing.subscription.clone(), Recorded::after(old, listing, now));
        }
    }

    pub fn record_breaker(&mut self, breaker: &BreakerRecord) {
        let BreakerRecord { kind, name, at, until } = breaker.clone();
        let key = (kind.clone(), name.clone());
        let Some(until) = until else {
            self.breakers.remove(&key);
            return;
        };
        let lapsed = stamp(at - OpenBreaker::LAPSES_AFTER);
        let since =
            self.breakers.get(&key).filter(|old| old.until >= lapsed).map_or(stamp(at), |old| old.since);
        self.breakers.insert(key, OpenBreaker { kind, name, since, until: stamp(until) });
    }

    pub fn plan(&mut self, plans: &[CursorAdvance], now: Timestamp) -> Result<Planned> {
        let current = plans.iter().filter(|plan| self.is_current(plan));
        self.none_exists("plan runs", current.flat_map(|plan| &plan.runs))?;
        let mut planned = Planned::default();
        for batch in plan::batches(plans, usize::MAX) {
            let moved = self.advance(batch);
            let new = plan::runs_of(batch, &moved, &mut planned);
            let added = self.insert(new.iter().copied(), now);
            plan::count(&mut planned, &new, &added);
        }
        Ok(planned)
    }

    fn is_current(&self, plan: &CursorAdvance) -> bool {
        self.cursors.get(&plan.cursor.app).is_some_and(|now| plan::is_current(now, plan))
    }

    /// Moves or removes the cursors that are still where they were read. Returns their apps.
    fn advance(&mut self, batch: &[CursorAdvance]) -> BTreeSet<String> {
        let mut moved = BTreeSet::new();
        for advance in batch {
            if !self.is_current(advance) {
                continue;
            }
            let app = &advance.cursor.app;
            moved.insert(app.to_string());
            match (advance.next_at, self.cursors.get_mut(app)) {
                (Some(next_at), Some(cursor)) => {
                    (cursor.through, cursor.next_at) = (stamp(advance.through), stamp(next_at));
                }
                _ => drop(self.cursors.remove(app)),
            }
        }
        moved
    }

    pub fn add_run(&mut self, new: &NewRun, now: Timestamp) -> Result<()> {
        const ADD: &str = "add a run";
        self.none_exists(ADD, [new])?;
        if self.insert([new], now).is_empty() { Err(left_out(ADD, &new.run)) } else { Ok(()) }
    }

    pub fn add_runs(&mut self, new: &[NewRun], now: Timestamp) -> Result<u64> {
        self.none_exists("add runs", new)?;
        Ok(self.insert(new, now).len() as u64)
    }

    /// Adds runs, all or none.
    pub fn add_all_runs(&mut self, new: &[NewRun], now: Timestamp) -> Result<()> {
        const ADD: &str = "add the runs of a request";
        self.none_exists(ADD, new)?;
        if let Some(taken) = new.iter().find(|new| self.is_subject_taken(&new.run)) {
            return Err(left_out(ADD, &taken.run));
        }
        self.insert(new, now);
        Ok(())
    }

    fn none_exists<'a>(
        &self,
        operation: &'static str,
        new: impl IntoIterator<Item = &'a NewRun>,
    ) -> Result<()> {
        let existing = new.into_iter().find(|new| self.row(new.run.id).is_some());
        existing.map_or(Ok(()), |new| Err(id_is_taken(operation, new.run.id)))
    }

    /// Inserts runs, except those whose tick or subject is taken. Returns the ids of those inserted.
    fn insert<'a>(&mut self, new: impl IntoIterator<Item = &'a NewRun>, now: Timestamp) -> BTreeSet<RunId> {
        let mut insertion = Insertion::new(new);
        insertion.retain(|run| {
            let is_added = !self.is_subject_taken(run) && self.take_tick(run);
            if is_added {
                self.put(Row { run: run.clone(), leased_until: None, lease_nonce: 0, occupies_app: false });
            }
            is_added
        });
        self.add_to_days(insertion.runs());
        let placed = self.append(&insertion.events(now));
        self.change_catalog(insertion.catalog(&placed));
        let Instructions { pauses, acknowledgements } = insertion.instructions(&placed);
        for (app, pause) in pauses {
            let pause = pause.after(self.pauses.get(&app));
            self.pauses.insert(app, pause);
        }
        self.acknowledgements.extend(acknowledgements);
        insertion.runs().map(|run| run.id).collect()
    }

    /// Takes the tick of a run; false when another run has it.
    fn take_tick(&mut self, run: &Run) -> bool {
        let (Some(policy), Some(tick)) = (&run.policy, run.tick) else { return true };
        self.ticks.insert((policy.clone(), run.app.clone(), tick))
    }

    pub fn open_budgets(
        &mut self,
        subscription: &SubscriptionId,
        record: &NewRun,
        now: Timestamp,
    ) -> Result<u64> {
        self.none_exists("open budgets", [record])?;
        let of_subscription = self.budgets.iter_mut().filter(|((of, _), _)| of == subscription);
        let closed =
            of_subscription.filter(|(_, bucket)| bucket.closed_until.is_some_and(|until| until > now));
        let opened = closed.map(|(_, bucket)| bucket.closed_until = None).count() as u64;
        if opened > 0 {
            self.insert([record], now);
        }
        Ok(opened)
    }

    pub fn commit(&mut self, changes: &[Change]) -> Result<Vec<Committed>> {
        let rows = changes.iter().filter_map(|change| self.row(change.run.id));
        let mut batch = Batch::new(changes, rows.map(|row| (row.run.id, row.run.clone())).collect());
        for place in batch.intents() {
            if let Some((run, intent)) = batch.intent(place) {
                let facts = self.intent_facts(run, intent);
                batch.check_intent(place, facts);
            }
        }
        let mut occupied = BTreeMap::new();
        let mut is_refused = |run: &Run| {
            let occupying = self.occupied.get(&run.app).copied();
            run.occupies_app()
                && *occupied.entry(run.app.clone()).or_insert(occupying.unwrap_or(run.id)) != run.id
        };
        if let Some((run, _)) = batch.rows().find(|(run, _)| is_refused(run)) {
            return Err(app_is_occupied(run.id));
        }
        self.add_to_days(batch.rows().map(|(run, _)| run));
        let placed = self.append(&batch.events());
        self.change_catalog(batch.catalog(&placed));
        for (run, _) in batch.rows() {
            let occupies_app = run.occupies_app();
            self.put(Row { run: run.clone(), leased_until: None, lease_nonce: 0, occupies_app });
        }
        Ok(batch.results())
    }
}
