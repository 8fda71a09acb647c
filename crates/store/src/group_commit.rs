//! Group commit: changes that arrive while a transaction is under way are committed together by the next one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::change::{Change, Committed};
use crate::error::{Error, Result};
use crate::store::Store;

/// The changes of one transaction at most. A larger group would hold its locks longer and gain little.
const MOST: usize = 256;

/// Commits changes of runs to a store in groups.
///
/// A change waits for no timer: the first one is committed at once, and what arrives meanwhile forms the next group. A
/// change is answered only after the transaction that holds it has ended. There is no task in the background: one of the
/// waiting callers leads each group. When its future is dropped the group's transaction is dropped too, and the other
/// callers of the group hand their changes in again; those that were written all the same are then stale.
#[derive(Debug, Clone)]
pub struct GroupCommit {
    store: Arc<dyn Store>,
    line: Arc<Line>,
}

/// The queue of changes for the next groups.
#[derive(Debug, Default)]
struct Line(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    changes: VecDeque<Handed>,
    is_led: bool,
}

/// A change that its caller handed in.
#[derive(Debug)]
struct Handed {
    change: Change,
    reply: oneshot::Sender<Reply>,
}

/// What becomes of a change that waits.
#[derive(Debug)]
enum Reply {
    /// Its transaction has ended.
    Ended(Result<Committed>),
    /// Its caller leads the next group, with its own change.
    Lead(Leadership, Box<Change>),
}

/// The right to commit the next group. Dropping it hands it to the next waiting caller, so a leader that is dropped stops
/// nobody. It is empty after it was handed on.
#[derive(Debug)]
struct Leadership(Option<Arc<Line>>);

impl GroupCommit {
    /// Commits to `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, line: Arc::default() }
    }

    /// Commits a change, with others that wait. Its result is that of [`Store::commit`].
    pub async fn commit(&self, change: Change) -> Result<Committed> {
        loop {
            let (leadership, own) = match self.line.lead_or_wait(&change) {
                Ok(leadership) => (leadership, change),
                Err(reply) => match reply.await {
                    Ok(Reply::Ended(result)) => return result,
                    Ok(Reply::Lead(leadership, own)) => (leadership, *own),
                    // The leader was dropped, and its transaction with it.
                    Err(_) => continue,
                },
            };
            return self.lead(leadership, own).await;
        }
    }

    /// Commits a group, and answers the others. Returns the result of the leader's own change.
    async fn lead(&self, leadership: Leadership, own: Change) -> Result<Committed> {
        let (changes, replies): (Vec<Change>, Vec<_>) =
            self.line.next_group().into_iter().map(|handed| (handed.change, handed.reply)).unzip();
        let changes: Vec<Change> = std::iter::once(own).chain(changes).collect();
        let results = commit_group(&*self.store, &changes).await;
        drop(leadership);
        let mut results = results.into_iter();
        let own = results.next().unwrap_or(Ok(Committed::Stale));
        for (reply, result) in replies.into_iter().zip(results) {
            // Whoever no longer waits was dropped.
            let _ = reply.send(Reply::Ended(result));
        }
        own
    }
}

impl Line {
    /// Takes the leadership if no group is under way. Otherwise queues `change`, and returns the receiver of its reply.
    fn lead_or_wait(
        self: &Arc<Self>,
        change: &Change,
    ) -> std::result::Result<Leadership, oneshot::Receiver<Reply>> {
        let mut waiting = self.waiting();
        if !waiting.is_led {
            waiting.is_led = true;
            return Ok(Leadership(Some(Arc::clone(self))));
        }
        let (reply, replied) = oneshot::channel();
        waiting.changes.push_back(Handed { change: change.clone(), reply });
        Err(replied)
    }

    /// The changes of the next group beside the leader's own.
    fn next_group(&self) -> Vec<Handed> {
        let mut waiting = self.waiting();
        let most = waiting.changes.len().min(MOST - 1);
        waiting.changes.drain(..most).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        let Some(mut line) = self.0.take() else { return };
        loop {
            let next = line.waiting().hand_over();
            let Some(Handed { change, reply }) = next else { return };
            match reply.send(Reply::Lead(Self(Some(line)), Box::new(change))) {
                // Its caller was dropped; the next one leads.
                Err(Reply::Lead(mut returned, _)) => match returned.0.take() {
                    Some(returned) => line = returned,
                    None => return,
                },
                Ok(()) | Err(Reply::Ended(_)) => return,
            }
        }
    }
}

impl Waiting {
    /// Removes the change whose caller leads next. Returns `None` if no change waits; the next caller then leads at once.
    fn hand_over(&mut self) -> Option<Handed> {
        let next = self.changes.pop_front();
        self.is_led = next.is_some();
        next
    }
}

/// Commits a group in one transaction. When that fails for a reason that may lie in one change, each is committed by
/// itself, so that one that the store refuses harms no other.
async fn commit_group(store: &dyn Store, changes: &[Change]) -> Vec<Result<Committed>> {
    match store.commit_all(changes).await {
        Ok(results) => results.into_iter().map(Ok).collect(),
        Err(error) if changes.len() > 1 && !error.is_outage() => singly(store, changes).await,
        Err(error) => failed(error, changes.len()),
    }
}

/// Commits each change by itself, until the store cannot be reached or a second change times out: something that all need
/// is locked then, and to wait for it once per change would hold up the process for as many time limits.
async fn singly(store: &dyn Store, changes: &[Change]) -> Vec<Result<Committed>> {
    let mut results = Vec::with_capacity(changes.len());
    let mut has_timed_out = false;
    for change in changes {
        match store.commit(change).await {
            Err(error) if error.is_outage() || has_timed_out && error.is_timeout() => {
                results.extend(failed(error, changes.len() - results.len()));
                break;
            }
            result => {
                has_timed_out |= result.as_ref().is_err_and(Error::is_timeout);
                results.push(result);
            }
        }
    }
    results
}

/// One error as the result of `count` changes.
fn failed(error: Error, count: usize) -> Vec<Result<Committed>> {
    if count == 1 {
        return vec![Err(error)];
    }
    let error = Arc::new(error);
    (0..count).map(|_| Err(Error::OfGroup(Arc::clone(&error)))).collect()
}
