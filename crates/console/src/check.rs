//! Readiness: whether the process can do its work.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use holdfast_store::Store;
use serde::Serialize;

/// Maximum time of a check.
const CHECK_WITHIN: Duration = Duration::from_secs(2);

/// A condition that must hold for the process to be ready.
#[async_trait]
pub trait Check: Send + Sync {
    /// The check's name in answers.
    fn name(&self) -> &'static str;

    /// Runs the check. The error is a short reason without secrets.
    async fn check(&self) -> Result<(), String>;
}

/// The result of all checks: the body of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether all passed.
    pub ready: bool,
    /// Each result, in the order of the checks.
    pub checks: Vec<CheckResult>,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The check's name.
    pub name: &'static str,
    /// Whether it passed.
    pub ok: bool,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Readiness {
    /// Makes all checks concurrently.
    pub async fn of(checks: &[Arc<dyn Check>]) -> Self {
        let checks = join_all(checks.iter().map(|check| async move {
            let checked = tokio::time::timeout(CHECK_WITHIN, check.check()).await;
            let late = || Err(format!("no answer within {} s", CHECK_WITHIN.as_secs()));
            let why = checked.unwrap_or_else(|_| late()).err();
            CheckResult { name: check.name(), ok: why.is_none(), why }
        }))
        .await;
        Self { ready: checks.iter().all(|result| result.ok), checks }
    }
}

/// Checks that the store answers.
#[derive(Debug)]
pub struct StoreAnswers(pub Arc<dyn Store>);

#[async_trait]
impl Check for StoreAnswers {
    fn name(&self) -> &'static str {
        "store"
    }

    async fn check(&self) -> Result<(), String> {
        // `Store::now` is not enough: SQLite's store takes the time from the host. No event has a position this high, so
        // the query is one index lookup.
        self.0.chain(i64::MAX, 1).await.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Checks that the queue has consumers; `F` returns their number.
pub struct ConsumersAttached<F>(pub F);

#[async_trait]
impl<F: Fn() -> u64 + Send + Sync> Check for ConsumersAttached<F> {
    fn name(&self) -> &'static str {
        "consumers"
    }

    async fn check(&self) -> Result<(), String> {
        if (self.0)() > 0 { Ok(()) } else { Err("no consumer is attached to the queue".to_owned()) }
    }
}
