//! Group load: runs that steps ask for at the same time are read by one statement.

use std::sync::Arc;

use holdfast_model::RunId;

use crate::change::Loaded;
use crate::error::Result;
use crate::group::{Answers, Groups, of_each};
use crate::store::Store;

/// The runs of one statement at most.
const MOST: usize = 256;

/// Loads runs from a store in groups.
#[derive(Debug, Clone)]
pub struct GroupLoad {
    store: Arc<dyn Store>,
    groups: Arc<Groups<RunId, Result<Option<Loaded>>>>,
}

impl GroupLoad {
    /// Loads from `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, groups: Arc::new(Groups::of(MOST)) }
    }

    /// Loads a run, with others that wait. Its result is that of [`Store::load`].
    pub async fn load(&self, id: RunId) -> Result<Option<Loaded>> {
        let load = async |ids: Vec<RunId>| {
            let mut results = load_group(&*self.store, &ids).await.into_iter();
            Answers { own: results.next().unwrap_or(Ok(None)), others: results.collect() }
        };
        self.groups.ask(id, load).await
    }
}

/// Loads a group. When that fails for a reason that may lie in one run, each is loaded by itself, so that one that cannot be
/// read harms no other.
async fn load_group(store: &dyn Store, ids: &[RunId]) -> Vec<Result<Option<Loaded>>> {
    if let [id] = ids {
        return vec![store.load(*id).await];
    }
    match store.load_all(ids).await {
        Ok(loaded) => loaded.into_iter().map(Ok).collect(),
        Err(error) if error.is_outage() || error.is_timeout() => of_each(error, ids.len()),
        Err(_) => {
            let mut results = Vec::with_capacity(ids.len());
            for id in ids {
                results.push(store.load(*id).await);
            }
            results
        }
    }
}
