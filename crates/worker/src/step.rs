//! One step of one run.

use std::time::Duration;

use chrono::SubsecRound;
use holdfast_model::{Clock, Run, Timestamp, Wakeup};
use holdfast_store::{Change, Committed, Loaded};

use crate::apply::{Next, Sight};
use crate::perform::{Bench, perform};
use crate::{Environment, Error, Settings};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// The run moved.
    Done,
    /// The run had moved on already: the message was late or doubled.
    Dropped,
}

/// Works off one message: load, decide, act, apply, commit. The caller acks.
///
/// It may be dropped at any await: whatever was not committed did not happen, and a POST that may have left is looked
/// for before another is made.
pub async fn step(
    env: &Environment,
    settings: &Settings,
    wakeup: Wakeup,
    rng: &mut fastrand::Rng,
) -> Result<Stepped, Error> {
    let wall = Wall::of(&*env.clock);
    let Some(loaded) = env.store.load(wakeup.run_id).await? else { return Ok(Stepped::Dropped) };
    if loaded.run.version != wakeup.version {
        return Ok(Stepped::Dropped);
    }
    let time = StoreTime { clock: &*env.clock, loaded_at: env.clock.elapsed(), now: loaded.now, wall };
    let Loaded { mut run, typical, last_good_bytes, subject, is_last, .. } = loaded;
    name_in_span(&run);
    let mut permit = None;
    loop {
        let subject = subject.as_ref();
        let sight =
            Sight { run: &run, now: time.now(), typical, last_good_bytes, subject, is_last, settings };
        let bench = Bench { env, settings, time: &time, sight };
        let Some((next, new_permit)) = perform(&bench, permit.take(), rng).await else {
            return Ok(Stepped::Dropped);
        };
        if let Some((call, until)) = next.close {
            env.store.close_budget(run.app.subscription(), call, until).await?;
        }
        let change = change_of(&run, next, time.now())?;
        run = change.run.clone();
        match env.store.commit(&change).await? {
            Committed::Done(version) => run.version = version,
            Committed::Stale => return Ok(Stepped::Dropped),
        }
        env.bell.notify_one();
        permit = new_permit;
        // With the intent committed the request follows in the same step: nobody else may make it.
        if permit.is_none() {
            return Ok(Stepped::Done);
        }
    }
}

/// Says in the step's span, if there is one, whom it is about.
fn name_in_span(run: &Run) {
    let span = tracing::Span::current();
    span.record("app", tracing::field::display(run.app.short_name()));
    span.record("attempt", run.state.next_attempt());
}

/// The store's time, carried on from when the run was loaded by a clock that nobody sets.
pub(crate) struct StoreTime<'a> {
    clock: &'a dyn Clock,
    loaded_at: Duration,
    now: Timestamp,
    wall: Wall,
}

/// Both times of the machine, from before the run was loaded.
struct Wall {
    now: Timestamp,
    elapsed: Duration,
}

impl Wall {
    fn of(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), elapsed: clock.elapsed() }
    }
}

impl StoreTime<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        (self.now + self.clock.elapsed().saturating_sub(self.loaded_at)).trunc_subsecs(3)
    }

    /// Has the machine slept since, so that this time is behind the store's? The wall time went on meanwhile; if
    /// somebody set it instead, nothing is lost but this step.
    pub(crate) fn is_behind(&self) -> bool {
        let Wall { now, elapsed } = Wall::of(self.clock);
        let passed = elapsed.saturating_sub(self.wall.elapsed);
        now > self.wall.now + passed + Settings::SLEEP_MAX
    }
}

/// The change that `next` makes of `run`.
fn change_of(run: &Run, next: Next, at: Timestamp) -> Result<Change, Error> {
    let from = run.version;
    let mut after = run.clone();
    for event in &next.events {
        after = after.after(event, at).map_err(|source| Error::Move { run: run.id, source })?;
    }
    after.due_at = next.due_at;
    Ok(Change { from, run: after, events: next.events, at })
}
