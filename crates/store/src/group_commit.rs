//! Group commit: changes that arrive while a transaction is under way are committed together by the next one.

use std::sync::Arc;

use crate::change::{Change, Committed};
use crate::error::{Error, Result};
use crate::group::{Answers, Groups, of_each};
use crate::store::Store;

/// The changes of one transaction at most. A larger group would hold its locks longer and gain little.
const MOST: usize = 256;

/// Commits changes of runs to a store in groups.
///
/// A change is answered only after the transaction that holds it has ended. When the future of the caller that leads a group
/// is dropped, the group's transaction is dropped too, and the other callers hand their changes in again; those that were
/// written all the same are then stale.
#[derive(Debug, Clone)]
pub struct GroupCommit {
    store: Arc<dyn Store>,
    groups: Arc<Groups<Change, Result<Committed>>>,
}

impl GroupCommit {
    /// Commits to `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, groups: Arc::new(Groups::of(MOST)) }
    }

    /// Commits a change, with others that wait. Its result is that of [`Store::commit`].
    pub async fn commit(&self, change: Change) -> Result<Committed> {
        let commit = async |changes: Vec<Change>| {
            let mut results = commit_group(&*self.store, &changes).await.into_iter();
            Answers { own: results.next().unwrap_or(Ok(Committed::Stale)), others: results.collect() }
        };
        self.groups.ask(change, commit).await
    }
}

/// Commits a group in one transaction. When that fails for a reason that may lie in one change, each is committed by
/// itself, so that one that the store refuses harms no other.
async fn commit_group(store: &dyn Store, changes: &[Change]) -> Vec<Result<Committed>> {
    match store.commit_all(changes).await {
        Ok(results) => results.into_iter().map(Ok).collect(),
        Err(error) if changes.len() > 1 && !error.is_outage() => singly(store, changes).await,
        Err(error) => of_each(error, changes.len()),
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
                results.extend(of_each(error, changes.len() - results.len()));
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
