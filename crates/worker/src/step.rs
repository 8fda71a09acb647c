//! One step of one run.

use std::time::Duration;

use chrono::SubsecRound;
use holdfast_model::{Clock, Run, RunState, Timestamp, Wakeup};
use holdfast_store::{Change, Committed, Loaded};

use crate::act::{self, Permit};
use crate::apply::{self, Next, Sight};
use crate::decide::{Action, decide};
use crate::{Error, Seams, Settings};

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
    seams: &Seams,
    settings: &Settings,
    wakeup: Wakeup,
    rng: &mut fastrand::Rng,
) -> Result<Stepped, Error> {
    let Some(loaded) = seams.store.load(wakeup.run_id).await? else { return Ok(Stepped::Dropped) };
    if loaded.run.version != wakeup.version {
        return Ok(Stepped::Dropped);
    }
    let time = StoreTime { clock: &*seams.clock, loaded_at: seams.clock.elapsed(), now: loaded.now };
    let Loaded { mut run, typical, last_good_bytes, .. } = loaded;
    name_in_span(&run);
    let mut permit = None;
    loop {
        let sight = Sight { run: &run, now: time.now(), typical, last_good_bytes, settings };
        let Some((next, new_permit)) = act_and_apply(seams, &time, sight, permit.take(), rng).await else {
            return Ok(Stepped::Dropped);
        };
        if let Some((call, until)) = next.close {
            seams.store.close_budget(run.app.subscription(), call, until).await?;
        }
        let change = change_of(&run, next, time.now())?;
        run = change.run.clone();
        match seams.store.commit(&change).await? {
            Committed::Done(version) => run.version = version,
            Committed::Stale => return Ok(Stepped::Dropped),
        }
        seams.bell.notify_one();
        permit = new_permit;
        // With the intent committed the POST follows in the same step: nobody else may make it.
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
struct StoreTime<'a> {
    clock: &'a dyn Clock,
    loaded_at: Duration,
    now: Timestamp,
}

impl StoreTime<'_> {
    fn now(&self) -> Timestamp {
        (self.now + self.clock.elapsed().saturating_sub(self.loaded_at)).trunc_subsecs(3)
    }
}

/// Decides, acts and applies; `None` when nothing is left to do here.
async fn act_and_apply(
    seams: &Seams,
    time: &StoreTime<'_>,
    sight: Sight<'_>,
    permit: Option<Permit>,
    rng: &mut fastrand::Rng,
) -> Option<(Next, Option<Permit>)> {
    let run = sight.run;
    // What follows is judged by the time after the call, which may have taken long.
    let after = || Sight { now: time.now(), ..sight };
    let next = match (decide(run, permit.is_some()), &run.state) {
        (Action::Prepare, _) => match act::prepare(seams, &sight).await {
            Ok(Ok(grant)) => {
                let permit = Permit::new(&*seams.clock, sight.settings.post_within, grant.url.clone());
                return Some((apply::prepared(&after(), &grant), Some(permit)));
            }
            Ok(Err(found)) => apply::turned_up(&after(), found),
            Err(why) => apply::not_ready(&after(), &why, rng),
        },
        (Action::Post, RunState::Starting { attempt }) => {
            let answer = act::post(seams, run, attempt, permit?, sight.settings.call_timeout).await?;
            apply::posted(&after(), attempt, answer, rng)
        }
        (Action::Look, RunState::Starting { attempt } | RunState::Settling { attempt, .. }) => {
            let listed = act::look(seams, run).await;
            apply::looked(&after(), attempt, listed, rng)
        }
        (Action::Ask, RunState::Polling { attempt, backup, accepted_at, status }) => {
            let answer = seams.arm.get_backup(&run.app, *backup).await;
            apply::asked(&after(), attempt, (*accepted_at, status), answer, rng)
        }
        (Action::Check, RunState::Verifying { attempt, backup: Some(backup), checks }) => {
            let check = act::check(seams, run, backup).await;
            apply::checked(&after(), attempt, (backup, *checks), check, rng)
        }
        _ => return None,
    };
    Some((next, None))
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
