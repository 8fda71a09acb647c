//! Work that outlasts its request: begun once, looked at until it has ended, and remembered for a while.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use holdfast_model::{Clock, Timestamp};

use crate::failure::Failure;

/// Operations that are remembered. The oldest that has ended gives way.
const KEPT: usize = 64;

/// Operations of one kind.
pub struct Operations<T> {
    clock: Arc<dyn Clock>,
    /// How many are carried out at once.
    at_once: usize,
    list: Arc<Mutex<VecDeque<Operation<T>>>>,
}

struct Operation<T> {
    id: String,
    what: String,
    begun_at: Timestamp,
    progress: Arc<AtomicUsize>,
    state: State<T>,
}

/// How far an operation is.
pub enum State<T> {
    /// It is carried out.
    UnderWay,
    /// It is done.
    Done(Arc<T>),
    /// It failed.
    Failed(Failure),
}

/// An operation as it is now.
pub struct Look<T> {
    /// What it is about.
    pub what: String,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// How much of it is done.
    pub progress: usize,
    /// How far it is.
    pub state: State<T>,
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        match self {
            Self::UnderWay => Self::UnderWay,
            Self::Done(result) => Self::Done(Arc::clone(result)),
            Self::Failed(failure) => Self::Failed(failure.clone()),
        }
    }
}

impl<T: Send + Sync + 'static> Operations<T> {
    /// No operations yet.
    pub fn new(clock: Arc<dyn Clock>, at_once: usize) -> Self {
        Self { clock, at_once, list: Arc::default() }
    }

    /// Begins work under an id, unless the same is under way; returns the id of what is under way then.
    ///
    /// `work` is given the count of what is done, to raise it.
    pub fn begin<F>(
        &self,
        id: String,
        what: String,
        work: impl FnOnce(Arc<AtomicUsize>) -> F,
    ) -> Result<String, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let mut list = lock(&self.list);
        let is_under_way = |of: &&Operation<T>| matches!(of.state, State::UnderWay);
        if let Some(same) = list.iter().filter(is_under_way).find(|of| of.what == what) {
            return Ok(same.id.clone());
        }
        if list.iter().filter(is_under_way).count() >= self.at_once {
            return Err(too_many());
        }
        if list.len() >= KEPT
            && let Some(ended) = list.iter().position(|of| !matches!(of.state, State::UnderWay))
        {
            list.remove(ended);
        }
        let (progress, begun_at) = (Arc::new(AtomicUsize::new(0)), self.clock.now());
        let work = work(Arc::clone(&progress));
        list.push_back(Operation { id: id.clone(), what, begun_at, progress, state: State::UnderWay });
        drop(list);
        let (of, list) = (id.clone(), Arc::clone(&self.list));
        tokio::spawn(async move {
            // Work that panics counts as failed.
            let state = match tokio::spawn(work).await {
                Ok(Ok(result)) => State::Done(Arc::new(result)),
                Ok(Err(failure)) => State::Failed(failure),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "an operation ended");
                    State::Failed(ended())
                }
            };
            if let Some(operation) = lock(&list).iter_mut().find(|operation| operation.id == of) {
                operation.state = state;
            }
        });
        Ok(id)
    }

    /// The operation with this id.
    pub fn look(&self, id: &str) -> Result<Look<T>, Failure> {
        let list = lock(&self.list);
        let found = list.iter().find(|operation| operation.id == id).ok_or_else(Failure::no_result)?;
        let Operation { what, begun_at, progress, state, .. } = found;
        let progress = progress.load(Ordering::Relaxed);
        Ok(Look { what: what.clone(), begun_at: *begun_at, progress, state: state.clone() })
    }
}

fn too_many() -> Failure {
    let detail = "This process carries out as many requests of this kind as it may.";
    Failure::new(StatusCode::CONFLICT, "under_way", "Others are under way", detail)
        .help("Ask again when they have ended.")
}

fn ended() -> Failure {
    let detail = "The work ended unexpectedly; the log says why.";
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "It went wrong", detail)
}

fn lock<T>(list: &Mutex<VecDeque<Operation<T>>>) -> MutexGuard<'_, VecDeque<Operation<T>>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use holdfast_model::ManualClock;
    use tokio::sync::oneshot;

    use super::*;

    fn operations(at_once: usize) -> Operations<u32> {
        Operations::new(Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)), at_once)
    }

    async fn ended(operations: &Operations<u32>, id: &str) -> State<u32> {
        loop {
            match operations.look(id).unwrap().state {
                State::UnderWay => tokio::task::yield_now().await,
                ended => return ended,
            }
        }
    }

    #[tokio::test]
    async fn the_same_work_is_begun_once_and_too_much_of_it_is_refused() {
        let operations = operations(1);
        let (end, ending) = oneshot::channel::<u32>();
        let work = |progress: Arc<AtomicUsize>| async move {
            progress.fetch_add(2, Ordering::Relaxed);
            Ok(ending.await.unwrap())
        };
        assert_eq!(operations.begin("1".into(), "all".into(), work).unwrap(), "1");
        let none = |_| async { Ok(0) };
        assert_eq!(operations.begin("2".into(), "all".into(), none).unwrap(), "1");
        assert_eq!(operations.begin("2".into(), "some".into(), none).unwrap_err().code, "under_way");
        while operations.look("1").unwrap().progress < 2 {
            tokio::task::yield_now().await;
        }
        end.send(7).unwrap();
        assert!(matches!(ended(&operations, "1").await, State::Done(result) if *result == 7));
        assert_eq!(operations.begin("2".into(), "all".into(), none).unwrap(), "2");
        assert_eq!(operations.look("3").err().unwrap().code, "no_such_result");
    }

    #[tokio::test]
    async fn work_that_panics_has_failed() {
        let operations = operations(1);
        operations.begin("1".into(), "all".into(), |_| async { panic!("a defect") }).unwrap();
        assert!(matches!(ended(&operations, "1").await, State::Failed(failure) if failure.code == "failed"));
    }
}
