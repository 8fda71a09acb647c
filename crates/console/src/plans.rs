//! Plans for many apps: made in the background, because Azure is asked for each app, and kept until they are started.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use holdfast_control::restore::ManyPlan;
use holdfast_model::{Clock, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::failure::Failure;
use crate::restore_kind::RestoreKind;

/// How long a plan can be looked at and started: it says how Azure was when it was made.
const LASTS: Duration = Duration::from_mins(10);
/// Plans that are kept. The oldest gives way.
const KEPT: usize = 32;
/// Plans that are made at once.
const AT_ONCE: usize = 2;

/// The plans of a process.
pub struct Plans {
    clock: Arc<dyn Clock>,
    turns: Semaphore,
    kept: Mutex<VecDeque<Kept>>,
}

/// Which plan is meant, by whom and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanKey {
    /// Its id.
    pub id: String,
    /// The person who asked for the plan. Only this person can read it.
    pub owner: String,
    /// Restores or drills.
    pub kind: RestoreKind,
}

struct Kept {
    key: PlanKey,
    begun: Duration,
    state: State,
}

enum State {
    Making,
    Ready(Arc<ReadyPlan>),
    Starting(Arc<ReadyPlan>),
    Failed(Failure),
}

/// A plan that was made.
#[derive(Debug)]
pub struct ReadyPlan {
    /// The store's time.
    pub as_of: Timestamp,
    /// The plan.
    pub plan: ManyPlan,
}

impl Plans {
    /// No plans.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, turns: Semaphore::new(AT_ONCE), kept: Mutex::default() }
    }

    /// Keeps a place for a plan that will be made.
    pub fn begin(&self, key: PlanKey) {
        let begun = self.clock.elapsed();
        let mut kept = self.current();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept { key, begun, state: State::Making });
    }

    /// Waits until the plan may be made; `None` where it gave way to others meanwhile.
    pub async fn turn(&self, key: &PlanKey) -> Option<SemaphorePermit<'_>> {
        let turn = self.turns.acquire().await.ok()?;
        self.current().iter().any(|kept| kept.key == *key).then_some(turn)
    }

    /// Records what came of the making of a plan.
    pub fn finish(&self, key: &PlanKey, made: Result<ReadyPlan, Failure>) {
        let state = made.map_or_else(State::Failed, |plan| State::Ready(Arc::new(plan)));
        self.with(key, |kept| kept.state = state);
    }

    /// The plan; `None` while it is being made.
    pub fn find(&self, key: &PlanKey) -> Result<Option<Arc<ReadyPlan>>, Failure> {
        let found = self.with(key, |kept| match &kept.state {
            State::Making => Ok(None),
            State::Ready(plan) | State::Starting(plan) => Ok(Some(Arc::clone(plan))),
            State::Failed(failure) => Err(failure.clone()),
        });
        found.ok_or_else(no_plan)?
    }

    /// Takes the plan to start it: no other request can, until it is released.
    pub fn claim(&self, key: &PlanKey) -> Result<Arc<ReadyPlan>, Failure> {
        let claimed = self.with(key, |kept| match &kept.state {
            State::Ready(plan) => {
                let plan = Arc::clone(plan);
                kept.state = State::Starting(Arc::clone(&plan));
                Ok(plan)
            }
            State::Failed(failure) => Err(failure.clone()),
            State::Making | State::Starting(_) => Err(Failure::under_way()),
        });
        claimed.ok_or_else(no_plan)?
    }

    /// Gives a plan back that was not started.
    pub fn release(&self, key: &PlanKey) {
        self.with(key, |kept| {
            if let State::Starting(plan) = &kept.state {
                kept.state = State::Ready(Arc::clone(plan));
            }
        });
    }

    fn with<T>(&self, key: &PlanKey, work: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        self.current().iter_mut().find(|kept| kept.key == *key).map(work)
    }

    fn current(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        let now = self.clock.elapsed();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| now.saturating_sub(kept.begun) < LASTS);
        kept
    }
}

fn no_plan() -> Failure {
    let detail = "This process has no such plan of yours: it was made more than ten minutes ago, or by another process.";
    Failure::new(StatusCode::NOT_FOUND, "no_such_plan", "No such plan", detail)
        .help("Plan it again: nothing was done.")
}

#[cfg(test)]
mod tests {
    use holdfast_model::{ManualClock, RunKind};

    use super::*;

    fn plans() -> (Plans, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        (Plans::new(Arc::clone(&clock) as _), clock)
    }

    fn key(id: usize) -> PlanKey {
        PlanKey { id: id.to_string(), owner: "ann".into(), kind: RestoreKind::Restore }
    }

    fn ready() -> ReadyPlan {
        let plan = ManyPlan {
            kind: RunKind::Restore,
            selected: 0,
            starts: Vec::new(),
            left_out: Vec::new(),
            warnings: Vec::new(),
        };
        ReadyPlan { as_of: Timestamp::UNIX_EPOCH, plan }
    }

    #[test]
    fn a_plan_is_seen_by_its_owner_started_once_and_kept_for_a_time() {
        let (plans, clock) = plans();
        plans.begin(key(1));
        assert!(plans.find(&key(1)).unwrap().is_none(), "it is being made");
        assert_eq!(plans.claim(&key(1)).unwrap_err().code, "under_way");
        plans.finish(&key(1), Ok(ready()));
        for other in [
            PlanKey { owner: "bob".into(), ..key(1) },
            PlanKey { kind: RestoreKind::Drill, ..key(1) },
            key(2),
        ] {
            assert_eq!(plans.find(&other).unwrap_err().code, "no_such_plan");
        }
        assert!(plans.find(&key(1)).unwrap().is_some() && plans.claim(&key(1)).is_ok());
        assert_eq!(plans.claim(&key(1)).unwrap_err().code, "under_way");
        plans.release(&key(1));
        assert!(plans.claim(&key(1)).is_ok(), "what was not started can be started");
        clock.advance(LASTS);
        assert_eq!(plans.find(&key(1)).unwrap_err().code, "no_such_plan");
    }

    #[tokio::test]
    async fn the_oldest_plan_gives_way_and_is_not_made() {
        let (plans, _clock) = plans();
        for id in 0..=KEPT {
            plans.begin(key(id));
        }
        assert!(plans.turn(&key(0)).await.is_none() && plans.turn(&key(1)).await.is_some());
        plans.finish(&key(1), Err(Failure::no_page()));
        assert_eq!(plans.find(&key(1)).unwrap_err(), Failure::no_page());
    }
}
