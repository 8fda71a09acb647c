//! Decides, acts and applies: one file for each kind of run, read top to bottom as its life goes.

mod backup;
mod delete;
mod push_schedule;
mod refresh_sas;
mod restore;

use holdfast_model::Task;

use crate::apply::{self, Begun, Next, Sight, Wanted};
use crate::permit::{Permit, Sends};
use crate::step::StoreTime;
use crate::{Environment, Settings};

/// What a step works with.
pub(crate) struct Bench<'a> {
    pub env: &'a Environment,
    pub settings: &'a Settings,
    pub time: &'a StoreTime<'a>,
    pub sight: Sight<'a>,
}

/// What is to be committed, and the right to the request that follows the commit, if one does.
pub(crate) type Performed = Option<(Next, Option<Permit>)>;

impl Bench<'_> {
    /// The run as it stands now: what follows from a call is judged by the time after it, which may have taken long.
    fn after(&self) -> Sight<'_> {
        Sight { now: self.time.now(), ..self.sight }
    }
}

/// An attempt begins: its intent is committed, and the same step makes the request. Not on a machine that slept, whose
/// intent would lapse before its permit: the step's own lease brings the run back.
fn begin(bench: &Bench<'_>, begun: Begun, sends: Sends) -> Performed {
    // What is slept from here on the permit tells.
    let permit = Permit::new(&*bench.env.clock, bench.settings.post_within, sends);
    if bench.time.is_behind() {
        return None;
    }
    Some((apply::prepared(&bench.after(), begun), Some(permit)))
}

/// The one thing that the run needs next; `None` when nothing is left to do here.
pub(crate) async fn perform(bench: &Bench<'_>, permit: Option<Permit>, rng: &mut fastrand::Rng) -> Performed {
    match &bench.sight.run.task {
        Task::Backup { databases } => backup::perform(bench, databases, permit, rng).await,
        Task::Restore(restore) => restore::perform(bench, (restore, None), permit, rng).await,
        Task::Drill(drill) => {
            restore::perform(bench, (&drill.restore, drill.probe.as_deref()), permit, rng).await
        }
        Task::Delete(delete) => delete::perform(bench, delete, permit, rng).await,
        Task::RefreshSas(refresh) => refresh_sas::perform(bench, refresh, rng).await,
        Task::PushSchedule { schedule, databases, renews } => {
            let wanted = Wanted { schedule: schedule.as_ref(), renews: renews.as_ref() };
            push_schedule::perform(bench, (wanted, databases), permit, rng).await
        }
        Task::OperatorAction { .. } => None,
    }
}
