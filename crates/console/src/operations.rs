//! Work that outlasts its request. The store knows how far it is, so that each process can say so.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use holdfast_control::Error;
use holdfast_model::Timestamp;
use holdfast_store::{OperationRecord, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{MissedTickBehavior, interval};

use crate::failure::Failure;

/// Time between two writes of how far an operation is.
const BEAT: Duration = Duration::from_secs(10);
/// Time after the last write after which the process of an operation is gone.
const GONE: Duration = Duration::from_mins(1);
/// Attempts to write a result while the store is away.
const TRIES: u32 = 60;

/// Operations of one kind that a process carries out.
pub struct Operations<T> {
    store: Arc<dyn Store>,
    /// How many are carried out at once.
    at_once: usize,
    under_way: Arc<Mutex<Vec<UnderWay>>>,
    result: PhantomData<fn() -> T>,
}

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// Its id.
    pub id: String,
    /// The login that may look at it; empty for every login.
    pub owner: String,
    /// What it is about.
    pub what: String,
}

struct UnderWay {
    id: String,
    what: String,
}

/// How far an operation is.
pub enum State<T> {
    /// It is carried out.
    UnderWay,
    /// It is done.
    Done(T),
    /// It failed.
    Failed(Failure),
}

/// An operation as it is now.
pub struct Look<T> {
    /// The login that asked for it.
    pub owner: String,
    /// What it is about.
    pub what: String,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// How much of it is done.
    pub progress: u64,
    /// How far it is.
    pub state: State<T>,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Operations<T> {
    /// No operations yet.
    pub fn new(store: Arc<dyn Store>, at_once: usize) -> Self {
        Self { store, at_once, under_way: Arc::default(), result: PhantomData }
    }

    /// Begins work, unless the same is under way here; returns the id of what is under way then.
    ///
    /// `work` is given the count of what is done, to raise it.
    pub async fn begin<F>(
        &self,
        NewOperation { id, owner, what }: NewOperation,
        work: impl FnOnce(Arc<AtomicUsize>) -> F,
    ) -> Result<String, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let place = match self.claim(&id, &what)? {
            Claim::Place(place) => place,
            Claim::Same(id) => return Ok(id),
        };
        let now = self.store.now().await.map_err(Error::from)?;
        let record = OperationRecord {
            id: id.clone(),
            owner,
            what,
            begun_at: now,
            seen_at: now,
            progress: 0,
            result: None,
        };
        self.store.record_operation(&record).await.map_err(Error::from)?;
        let progress = Arc::new(AtomicUsize::new(0));
        let work = work(Arc::clone(&progress));
        let operation = Operation { store: Arc::clone(&self.store), record, progress };
        tokio::spawn(async move {
            operation.carry_out(work).await;
            drop(place);
        });
        Ok(id)
    }

    fn claim(&self, id: &str, what: &str) -> Result<Claim, Failure> {
        let mut under_way = lock(&self.under_way);
        if let Some(same) = under_way.iter().find(|of| of.what == what) {
            return Ok(Claim::Same(same.id.clone()));
        }
        if under_way.len() >= self.at_once {
            return Err(too_many());
        }
        under_way.push(UnderWay { id: id.to_owned(), what: what.to_owned() });
        Ok(Claim::Place(Place { id: id.to_owned(), under_way: Arc::clone(&self.under_way) }))
    }

    /// The operation with this id, whichever process carries it out.
    pub async fn look(&self, id: &str) -> Result<Look<T>, Failure> {
        let found = self.store.operation(id).await.map_err(Error::from)?.ok_or_else(Failure::no_result)?;
        let OperationRecord { owner, what, begun_at, seen_at, progress, result, .. } = found;
        let state = match result.map(|result| serde_json::from_str(&result)) {
            Some(Ok(Ok(done))) => State::Done(done),
            Some(Ok(Err(failure))) => State::Failed(failure),
            // A process of another version wrote it.
            Some(Err(_)) => return Err(Failure::no_result()),
            None if seen_at + GONE < self.store.now().await.map_err(Error::from)? => State::Failed(gone()),
            None => State::UnderWay,
        };
        Ok(Look { owner, what, begun_at, progress, state })
    }
}

/// What came of the attempt to begin an operation.
enum Claim {
    Place(Place),
    /// The same is under way, under this id.
    Same(String),
}

/// The place of an operation that is under way.
struct Place {
    id: String,
    under_way: Arc<Mutex<Vec<UnderWay>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.under_way).retain(|of| of.id != self.id);
    }
}

/// One operation that this process carries out.
struct Operation {
    store: Arc<dyn Store>,
    record: OperationRecord,
    progress: Arc<AtomicUsize>,
}

impl Operation {
    /// Does the work, and tells the store how far it is. Work that panics counts as failed.
    async fn carry_out<T, F>(mut self, work: F)
    where
        T: Serialize + Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let (mut work, mut beat) = (tokio::spawn(work), interval(BEAT));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            tokio::select! {
                ended = &mut work => break ended,
                _ = beat.tick() => drop(self.write().await),
            }
        };
        let result = ended.unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "an operation ended");
            Err(ended_early())
        });
        self.record.result = serde_json::to_string(&result).ok();
        for _ in 0..TRIES {
            if self.write().await {
                return;
            }
            beat.tick().await;
        }
    }

    /// Whether the store took it.
    async fn write(&mut self) -> bool {
        self.record.progress = u64::try_from(self.progress.load(Ordering::Relaxed)).unwrap_or(u64::MAX);
        let written = self.store.record_operation(&self.record).await;
        if let Err(error) = &written {
            tracing::warn!(error = error as &dyn std::error::Error, "the store does not take an operation");
        }
        written.is_ok()
    }
}

fn too_many() -> Failure {
    let detail = "This process carries out as many requests of this kind as it may.";
    Failure::new(StatusCode::CONFLICT, "under_way", "Others are under way", detail)
        .help("Ask again when they have ended.")
}

fn ended_early() -> Failure {
    let detail = "The work ended unexpectedly; the log says why.";
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "It went wrong", detail)
}

fn gone() -> Failure {
    let detail = "The process that carried it out has stopped.";
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "It went wrong", detail).help("Ask again.")
}

fn lock(list: &Mutex<Vec<UnderWay>>) -> MutexGuard<'_, Vec<UnderWay>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use holdfast_model::{Clock as _, ManualClock};
    use holdfast_store::MemoryStore;
    use tokio::sync::oneshot;

    use super::*;

    fn operations(at_once: usize) -> (Operations<u32>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        (Operations::new(Arc::new(MemoryStore::new(Arc::clone(&clock) as _)), at_once), clock)
    }

    fn new(id: &str, what: &str) -> NewOperation {
        NewOperation { id: id.into(), owner: String::new(), what: what.into() }
    }

    async fn ended(operations: &Operations<u32>, id: &str) -> State<u32> {
        loop {
            match operations.look(id).await.unwrap().state {
                State::UnderWay => tokio::task::yield_now().await,
                ended => return ended,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_work_is_begun_once_and_every_process_knows_how_far_it_is() {
        let (operations, _clock) = operations(1);
        let (end, ending) = oneshot::channel::<u32>();
        let work = |progress: Arc<AtomicUsize>| async move {
            progress.fetch_add(2, Ordering::Relaxed);
            Ok(ending.await.unwrap())
        };
        assert_eq!(operations.begin(new("1", "all"), work).await.unwrap(), "1");
        let none = |_| async { Ok(0) };
        assert_eq!(operations.begin(new("2", "all"), none).await.unwrap(), "1");
        assert_eq!(operations.begin(new("2", "some"), none).await.unwrap_err().code, "under_way");
        let other: Operations<u32> = Operations::new(Arc::clone(&operations.store), 1);
        while other.look("1").await.unwrap().progress < 2 {
            tokio::time::advance(BEAT).await;
        }
        end.send(7).unwrap();
        assert!(matches!(ended(&other, "1").await, State::Done(7)));
        while !lock(&operations.under_way).is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(operations.begin(new("2", "all"), none).await.unwrap(), "2");
        assert_eq!(operations.look("3").await.err().unwrap().code, "no_such_result");
    }

    #[tokio::test]
    async fn work_that_panics_has_failed() {
        let (operations, _clock) = operations(1);
        operations.begin(new("1", "all"), |_| async { panic!("a defect") }).await.unwrap();
        assert!(matches!(ended(&operations, "1").await, State::Failed(failure) if failure.code == "failed"));
    }

    #[tokio::test]
    async fn work_whose_process_has_stopped_has_failed() {
        let (operations, clock) = operations(1);
        let record = OperationRecord {
            id: "1".into(),
            owner: String::new(),
            what: "all".into(),
            begun_at: clock.now(),
            seen_at: clock.now(),
            progress: 0,
            result: None,
        };
        operations.store.record_operation(&record).await.unwrap();
        clock.advance(GONE);
        assert!(matches!(operations.look("1").await.unwrap().state, State::UnderWay));
        clock.advance(Duration::from_secs(1));
        let State::Failed(failure) = operations.look("1").await.unwrap().state else { panic!("it goes on") };
        assert_eq!(failure.detail, "The process that carried it out has stopped.");
    }
}
