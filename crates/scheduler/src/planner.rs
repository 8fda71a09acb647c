//! The planner: ticks become due runs.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::schedule::{MissReason, MissedTick, TickPlan, TickQuery, plan_ticks};
use holdfast_model::{NewBackup, NewRun, RunId, Timestamp, Trigger};
use holdfast_store::{Cursor, CursorAdvance, FleetChange, Planned};
use tokio_util::sync::CancellationToken;

use crate::plan_batch::{Batch, Planning};
use crate::planning_context::log_failure;
use crate::{Error, FleetSnapshot, PlanningContext};

/// Cursors read at once.
const PAGE: u32 = 500;

/// Failed transactions of a pass after which the store, and not a single app, is taken to be the cause. Halving down to
/// one app in a full page fails about ten times.
const FAILURES_MAX: u32 = 30;

/// Default interval between passes. Ticks are whole minutes, so a second late is on time.
const INTERVAL: Duration = Duration::from_secs(1);

/// Interval at which an unchanged fleet is synced again, to set back cursors that a wrong clock moved.
const SYNC_INTERVAL: Duration = Duration::from_hours(1);

/// Turns ticks into runs.
///
/// The next tick follows from the clock and the cursor, never from the result of the last run.
#[derive(Debug)]
pub struct Planner {
    context: PlanningContext,
    interval: Duration,
    last_id: Option<RunId>,
}

impl Planner {
    /// A planner.
    pub fn new(context: PlanningContext) -> Self {
        Self { interval: context.interval.unwrap_or(INTERVAL), context, last_id: None }
    }

    /// Runs passes until `stop`. A failed pass is logged.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut since_sync = SYNC_INTERVAL;
        while !stop.is_cancelled() {
            if since_sync >= SYNC_INTERVAL || self.context.fleet.has_changed().unwrap_or(false) {
                since_sync = match self.sync().await {
                    Ok(_) => Duration::ZERO,
                    Err(error) => {
                        log_failure("sync the fleet", &error);
                        SYNC_INTERVAL
                    }
                };
            }
            if let Err(error) = self.plan_due().await {
                log_failure("plan due runs", &error);
            }
            // Ends with the interval or with `stop`, whichever comes first.
            let _ = tokio::time::timeout(self.interval, stop.cancelled()).await;
            since_sync += self.interval;
        }
    }

    /// Enrols the present fleet in the store, and ends the enrolment of apps that left it.
    pub async fn sync(&mut self) -> Result<FleetChange, Error> {
        let fleet = Arc::clone(&self.context.fleet.borrow_and_update());
        let now = self.context.store.now().await?;
        let departed = fleet.departures(now, || self.context.new_id(now));
        let change = self.context.store.sync_fleet(&fleet.enrolled(now), &departed).await?;
        if change != FleetChange::default() {
            let FleetChange { added, changed, removed, not_found } = change;
            tracing::info!(added, changed, removed, not_found, "fleet synced");
        }
        Ok(change)
    }

    /// Plans every tick that is due now.
    ///
    /// Works in sweeps over the due cursors, page by page, in transactions of a bounded number of runs. A cursor whose
    /// schedule is no longer in the fleet is passed over, and so is one whose advance fails alone.
    pub async fn plan_due(&mut self) -> Result<Planned, Error> {
        let fleet = self.context.fleet_now();
        let mut work = Planning::default();
        loop {
            let before = work.planned;
            let has_more = self.sweep(&fleet, &mut work).await?;
            if !has_more || work.planned == before {
                break;
            }
        }
        if work.planned != Planned::default() {
            let Planned { runs, missed, conflicts } = work.planned;
            tracing::info!(runs, missed, conflicts, "ticks planned");
        }
        Ok(work.planned)
    }

    /// One sweep over the due cursors; true if some have more ticks that are due.
    async fn sweep(&mut self, fleet: &FleetSnapshot, work: &mut Planning) -> Result<bool, Error> {
        let (mut after, mut has_more) = (None, false);
        loop {
            let cursors = self.context.store.cursors_due(after.as_ref(), PAGE).await?;
            let now = self.context.store.now().await?;
            let mut batch = Batch::default();
            for cursor in &cursors {
                let advance = self.advance(fleet, cursor, now);
                let Some(advance) = advance.filter(|_| !work.failed.contains(&cursor.app)) else { continue };
                has_more |= advance.next_at.is_some_and(|next_at| next_at <= now);
                if let Some(full) = batch.add(advance) {
                    self.plan(&full, work).await?;
                }
            }
            self.plan(&batch.take(), work).await?;
            if cursors.len() < PAGE as usize {
                return Ok(has_more);
            }
            after = cursors.into_iter().next_back();
        }
    }

    /// Plans advances in one transaction, or in smaller ones until the advance that fails is alone.
    async fn plan(&mut self, advances: &[CursorAdvance], work: &mut Planning) -> Result<(), Error> {
        let mut batches = vec![advances];
        while let Some(batch) = batches.pop() {
            let Some(first) = batch.first() else { continue };
            let error = match self.context.store.plan(batch).await {
                Ok(planned) => {
                    work.add(planned);
                    self.context.due_signal.notify_one();
                    continue;
                }
                Err(error) => error,
            };
            work.failures += 1;
            if work.failures > FAILURES_MAX {
                return Err(error.into());
            }
            if batch.len() > 1 {
                let (left, right) = batch.split_at(batch.len() / 2);
                batches.extend([right, left]);
                continue;
            }
            let (app, policy) = (&first.cursor.app, &first.cursor.policy);
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, %app, %policy, "failed to plan the ticks of an app; the others are planned");
            work.failed.insert(app.clone());
        }
        Ok(())
    }

    /// The advance of one cursor; `None` if its schedule is no longer in the fleet, which the next sync corrects.
    fn advance(&mut self, fleet: &FleetSnapshot, cursor: &Cursor, now: Timestamp) -> Option<CursorAdvance> {
        let (app, policy) = fleet.scheduled(&cursor.app)?;
        if policy.name != cursor.policy || policy.schedule.fingerprint() != cursor.fingerprint {
            return None;
        }
        let TickPlan { run, catching_up, missed, through, next } = plan_ticks(TickQuery {
            schedule: &policy.schedule,
            app: &app.id,
            through: cursor.through,
            now,
            catch_up: policy.catch_up,
            overlap: policy.overlap,
            unfinished: cursor.unfinished,
            pause: cursor.pause,
        });
        let (run, missed) = if fleet.unsupported.contains(&app.id) {
            let unsupported = run.map(|tick| MissedTick { tick, reason: MissReason::Unsupported });
            (None, missed.into_iter().chain(unsupported).collect())
        } else {
            (run, missed)
        };
        let missed = missed
            .iter()
            .map(|missed| NewRun::missed(self.new_id(now), app, &policy.policy_snapshot, missed, now));
        let mut runs: Vec<NewRun> = missed.collect();
        runs.extend(run.map(|tick| {
            let trigger = if catching_up { Trigger::CatchUp } else { Trigger::Schedule };
            let backup = NewBackup { tick: Some(tick), trigger, due_at: tick };
            NewRun::backup(self.new_id(now), app, &policy.policy_snapshot, backup, now)
        }));
        Some(CursorAdvance { cursor: cursor.clone(), through, next_at: next, runs })
    }

    fn new_id(&mut self, now: Timestamp) -> RunId {
        let id = RunId::after(self.last_id, now, &mut self.context.rng);
        self.last_id = Some(id);
        id
    }
}
