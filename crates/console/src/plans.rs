//! Plans for many apps: made in the background, because Azure is asked for each app, and kept by the store until they are started.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use holdfast_control::restore::{ManyPlan, NewRestore};
use holdfast_model::Timestamp;
use holdfast_store::Store;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::operations::{NewOperation, Operations, State};
use crate::restore_kind::RestoreKind;

/// How long a plan can be looked at and started: it says how Azure was when it was made.
const LASTS: Duration = Duration::from_mins(10);
/// Plans that are made or wait for it.
const WAITING: usize = 32;
/// Plans that are made at once.
const AT_ONCE: usize = 2;

/// The plans that a process makes, and those that the store has.
pub struct Plans {
    operations: Operations<StoredPlan>,
    turns: Arc<Semaphore>,
    store: Arc<dyn Store>,
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

/// A plan that was made.
#[derive(Debug)]
pub struct ReadyPlan {
    /// The store's time.
    pub as_of: Timestamp,
    /// The plan.
    pub plan: ManyPlan,
}

/// A plan as the store keeps it: with the data of its runs, which no client gets.
#[derive(Serialize, Deserialize)]
struct StoredPlan {
    as_of: Timestamp,
    plan: ManyPlan,
    runs: Vec<Option<NewRestore>>,
}

impl Plans {
    /// The plans of a process with this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let operations = Operations::new(Arc::clone(&store), WAITING);
        Self { operations, turns: Arc::new(Semaphore::new(AT_ONCE)), store }
    }

    /// Begins to make a plan, when it is its turn.
    pub async fn begin<F>(&self, key: &PlanKey, making: F) -> Result<(), Failure>
    where
        F: Future<Output = Result<ReadyPlan, Failure>> + Send + 'static,
    {
        let new = NewOperation { id: key.id.clone(), owner: key.owner.clone(), what: key.what() };
        let turns = Arc::clone(&self.turns);
        let work = |_| async move {
            let _turn = turns.acquire().await.ok();
            making.await.map(StoredPlan::from)
        };
        self.operations.begin(new, work).await.map(drop)
    }

    /// The plan; `None` while it is being made.
    pub async fn find(&self, key: &PlanKey) -> Result<Option<ReadyPlan>, Failure> {
        let look = self.operations.look(&key.id).await;
        let look =
            look.map_err(|failure| if failure == Failure::no_result() { no_plan() } else { failure })?;
        if (&look.owner, look.what) != (&key.owner, key.what()) {
            return Err(no_plan());
        }
        let plan = match look.state {
            State::UnderWay => return Ok(None),
            State::Failed(failure) => return Err(failure),
            State::Done(plan) => ReadyPlan::from(plan),
        };
        let now = self.store.now().await.map_err(holdfast_control::Error::from)?;
        if now < plan.as_of + LASTS { Ok(Some(plan)) } else { Err(no_plan()) }
    }
}

impl PlanKey {
    /// What makes plans different work.
    fn what(&self) -> String {
        format!("{} {}", self.kind.path(), self.id)
    }
}

impl From<ReadyPlan> for StoredPlan {
    fn from(ReadyPlan { as_of, plan }: ReadyPlan) -> Self {
        let runs = plan.starts.iter().map(|plan| plan.run.clone()).collect();
        Self { as_of, plan, runs }
    }
}

impl From<StoredPlan> for ReadyPlan {
    fn from(StoredPlan { as_of, mut plan, runs }: StoredPlan) -> Self {
        for (plan, run) in plan.starts.iter_mut().zip(runs) {
            plan.run = run;
        }
        Self { as_of, plan }
    }
}

fn no_plan() -> Failure {
    let detail = "There is no such plan of yours, or it was made more than ten minutes ago.";
    Failure::new(StatusCode::NOT_FOUND, "no_such_plan", "No such plan", detail)
        .help("Plan it again: nothing was done.")
}

#[cfg(test)]
mod tests {
    use holdfast_model::{ManualClock, RunKind};
    use holdfast_store::MemoryStore;

    use super::*;

    fn key(id: &str) -> PlanKey {
        PlanKey { id: id.into(), owner: "ann".into(), kind: RestoreKind::Restore }
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

    #[tokio::test]
    async fn a_plan_is_seen_by_its_owner_alone_at_every_process_and_for_a_time() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
        let (plans, elsewhere) = (Plans::new(Arc::clone(&store)), Plans::new(store));
        let (made, making) = tokio::sync::oneshot::channel();
        plans.begin(&key("1"), async { making.await.unwrap() }).await.unwrap();
        assert!(elsewhere.find(&key("1")).await.unwrap().is_none(), "it is being made");
        made.send(Ok(ready())).unwrap();
        while elsewhere.find(&key("1")).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        for other in [
            PlanKey { owner: "bob".into(), ..key("1") },
            PlanKey { kind: RestoreKind::Drill, ..key("1") },
            key("2"),
        ] {
            assert_eq!(elsewhere.find(&other).await.unwrap_err().code, "no_such_plan");
        }
        clock.advance(LASTS);
        assert_eq!(plans.find(&key("1")).await.unwrap_err().code, "no_such_plan");
    }
}
