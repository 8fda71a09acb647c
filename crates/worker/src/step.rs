//! One step of one run.

use std::time::Duration;

use holdfast_model::{Run, Task, Timestamp, Wakeup};
use holdfast_store::{Change, Committed, Loaded};

use crate::environment::{Environment, Settings};
use crate::error::Error;
use crate::native_schedule::DesiredSchedule;
use crate::next::Next;
use crate::send_window::SendWindow;
use crate::step_context::StepContext;
use crate::step_input::StepInput;
use crate::step_plan::StepPlan;
use crate::step_result::Stepped;
use crate::store_time::{HostTime, StoreTime};
use crate::{backup, check_catalog, delete, native_schedule, refresh_sas, restore};

/// Executes the step that one message asks for: load, decide, call, transition, commit. The caller acknowledges.
///
/// The future may be dropped at any await. What was not committed did not happen, and a POST that may have left is
/// reconciled before another attempt begins.
pub async fn step(
    env: &Environment,
    settings: &Settings,
    wakeup: Wakeup,
    rng: &mut fastrand::Rng,
) -> Result<Stepped, Error> {
    match load(env, wakeup).await? {
        Ok(loaded) => step_loaded(env, settings, loaded, rng).await,
        Err(dropped) => Ok(dropped),
    }
}

/// A run in the version of its message, and the host's time before it was loaded.
pub(crate) struct LoadedStep {
    pub loaded: Loaded,
    before_load: HostTime,
}

/// Loads the run of a message, or says why the message does nothing.
///
/// The message must name the version and the lease that the run has now. Only a dispatcher leases runs, within Azure's
/// limits, so a forged, replayed or old message moves nothing.
pub(crate) async fn load(env: &Environment, wakeup: Wakeup) -> Result<Result<LoadedStep, Stepped>, Error> {
    let before_load = HostTime::read(&*env.clock);
    Ok(match env.loads.load(wakeup.run_id).await? {
        Some(loaded) if loaded.run.version != wakeup.version => Err(Stepped::Dropped),
        Some(loaded) if !loaded.is_leased_by(wakeup) => Err(Stepped::NotLeased),
        Some(loaded) => Ok(LoadedStep { loaded, before_load }),
        None => Err(Stepped::Dropped),
    })
}

/// Moves the due time of a run that finds no room, and nothing else.
pub(crate) async fn put_back(env: &Environment, step: LoadedStep, pause: Duration) -> Result<Stepped, Error> {
    let Loaded { run, now, .. } = step.loaded;
    let from = run.version;
    let change = Change { from, run: Run { due_at: now + pause, ..run }, events: Vec::new(), at: now };
    Ok(match env.commits.commit(change).await? {
        Committed::Done(_) => Stepped::PutBack,
        Committed::Stale => Stepped::Dropped,
    })
}

/// Executes the step of a loaded run.
pub(crate) async fn step_loaded(
    env: &Environment,
    settings: &Settings,
    LoadedStep { loaded, before_load }: LoadedStep,
    rng: &mut fastrand::Rng,
) -> Result<Stepped, Error> {
    let time = StoreTime::new(&*env.clock, loaded.now, before_load);
    let Loaded { mut run, durations, has_unsettled, last_good_bytes, subject, is_last, .. } = loaded;
    record_in_span(&run);
    let mut window = None;
    loop {
        let subject = subject.as_ref();
        let input = StepInput {
            run: &run,
            now: time.now(),
            durations: &durations,
            has_unsettled,
            last_good_bytes,
            subject,
            is_last,
            settings,
        };
        let context = StepContext { env, time: &time, input };
        let next = match plan_step(&context, window.take(), rng).await {
            StepPlan::Commit(next) => next,
            StepPlan::CommitThenSend { intent, window: opened } => {
                window = Some(opened);
                intent
            }
            StepPlan::NothingToDo => return Ok(Stepped::NothingToDo),
            StepPlan::SendWindowLapsed => return Ok(Stepped::SendWindowLapsed),
            StepPlan::HostSuspended => return Ok(Stepped::HostSuspended),
        };
        if let Some((call, until)) = next.close {
            env.store.close_budget(run.app.subscription(), call, until).await?;
        }
        let change = change_of(&run, next, time.now())?;
        run = change.run.clone();
        match env.commits.commit(change).await? {
            Committed::Done(version) => run.version = version,
            Committed::Stale => return Ok(Stepped::Dropped),
        }
        env.bell.notify_one();
        // After an intent the request follows in the same step: no other worker may send it.
        if window.is_none() {
            return Ok(Stepped::Done);
        }
    }
}

/// Makes the one call that the run needs next, and computes what to commit.
async fn plan_step(
    context: &StepContext<'_>,
    window: Option<SendWindow>,
    rng: &mut fastrand::Rng,
) -> StepPlan {
    match &context.run().task {
        Task::Backup { databases } => backup::step(context, databases, window, rng).await,
        Task::Restore(restore) => restore::step(context, restore, None, window, rng).await,
        Task::Drill(drill) => {
            restore::step(context, &drill.restore, drill.probe.as_deref(), window, rng).await
        }
        Task::Delete(delete) => delete::step(context, delete, window, rng).await,
        Task::RefreshSas(refresh) => refresh_sas::step(context, refresh, rng).await,
        Task::PushSchedule { schedule, databases, renews } => {
            let desired = DesiredSchedule { schedule: schedule.as_ref(), renews: renews.as_ref() };
            native_schedule::step(context, desired, databases, window, rng).await
        }
        Task::CheckCatalog { schedule, databases } => {
            check_catalog::step(context, schedule.as_ref(), databases, rng).await
        }
        Task::OperatorAction { .. } => StepPlan::NothingToDo,
    }
}

/// Records the app and the attempt in the current span.
fn record_in_span(run: &Run) {
    let span = tracing::Span::current();
    span.record("app", tracing::field::display(run.app.short_name()));
    span.record("attempt", run.state.next_attempt());
}

/// The row and the events that `next` makes of `run`.
fn change_of(run: &Run, next: Next, at: Timestamp) -> Result<Change, Error> {
    let from = run.version;
    let mut after = run.clone();
    for event in &next.events {
        after = after.after(event, at).map_err(|source| Error::Move { run: run.id, source })?;
    }
    after.due_at = next.due_at;
    Ok(Change { from, run: after, events: next.events, at })
}
