//! Storage whose answers the bulkheads observe.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Clock, StorageName, Timestamp};
use holdfast_storage::{BlobFacts, Container, Error, Grant, Need, SasHealth, Storage};

use crate::bulkheads::Bulkheads;

/// Reports to the bulkheads which storage accounts answer.
pub(crate) struct WatchedStorage {
    inner: Arc<dyn Storage>,
    bulkheads: Arc<Bulkheads>,
    clock: Arc<dyn Clock>,
    /// Accounts whose last test write got no answer. Only after such a one, a SAS proves an answer: the result of a test
    /// write that succeeded counts for minutes.
    untested: Mutex<BTreeSet<String>>,
}

impl WatchedStorage {
    /// Watches `inner`.
    pub fn new(inner: Arc<dyn Storage>, bulkheads: Arc<Bulkheads>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, bulkheads, clock, untested: Mutex::default() }
    }

    /// The account of a storage, as runs name it.
    fn account(&self, storage: &StorageName) -> Option<String> {
        Some(self.inner.container(storage).ok()?.account())
    }

    /// Reports the result of a read of a blob that began at `begun`.
    fn read(&self, storage: &StorageName, error: Option<&Error>, begun: Duration) {
        let Some(account) = self.account(storage) else { return };
        let waited = self.clock.elapsed().saturating_sub(begun);
        let is_unanswered = error.is_some_and(Error::is_unanswered);
        self.bulkheads.storage_answered(&account, is_unanswered.then_some(waited));
    }

    /// Reports the result of a test write that began at `begun`.
    fn tested(&self, storage: &StorageName, error: Option<&Error>, begun: Duration) {
        let Some(account) = self.account(storage) else { return };
        let mut untested = self.untested.lock().unwrap_or_else(PoisonError::into_inner);
        if error.is_some_and(Error::is_unanswered) {
            untested.insert(account);
        } else if !untested.remove(&account) {
            return;
        }
        drop(untested);
        self.read(storage, error, begun);
    }
}

#[async_trait]
impl Storage for WatchedStorage {
    fn container(&self, storage: &StorageName) -> Result<Container, Error> {
        self.inner.container(storage)
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error> {
        let begun = self.clock.elapsed();
        let grant = self.inner.grant(storage, need).await;
        self.tested(storage, grant.as_ref().err(), begun);
        grant
    }

    async fn sas_health(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error> {
        self.inner.sas_health(storage, need).await
    }

    async fn blob(
        &self,
        storage: &StorageName,
        blob_name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, Error> {
        let begun = self.clock.elapsed();
        let blob = self.inner.blob(storage, blob_name, now).await;
        self.read(storage, blob.as_ref().err(), begun);
        blob
    }
}
