//! Whether the process can do its work.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use holdfast_store::Store;
use serde::Serialize;

/// How long a check may take. Whoever asks, asks again soon.
const CHECK_WITHIN: Duration = Duration::from_secs(2);

/// One thing that must be so for the process to do its work.
#[async_trait]
pub trait Check: Send + Sync {
    /// Its word in answers.
    fn name(&self) -> &'static str;

    /// Whether it is so; else why not, in a few words without secrets.
    async fn look(&self) -> Result<(), String>;
}

/// All checks and how they came out: the body of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether all passed.
    pub ready: bool,
    /// Each, in the order in which they were handed in.
    pub checks: Vec<CheckResult>,
}

/// How one check came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The check.
    pub name: &'static str,
    /// Whether it passed.
    pub ok: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Readiness {
    /// Makes all checks at once.
    pub async fn of(checks: &[Arc<dyn Check>]) -> Self {
        let checks = join_all(checks.iter().map(|check| async move {
            let looked = tokio::time::timeout(CHECK_WITHIN, check.look()).await;
            let late = || Err(format!("no answer within {} s", CHECK_WITHIN.as_secs()));
            let why = looked.unwrap_or_else(|_| late()).err();
            CheckResult { name: check.name(), ok: why.is_none(), why }
        }))
        .await;
        Self { ready: checks.iter().all(|result| result.ok), checks }
    }
}

/// The store answers.
#[derive(Debug)]
pub struct StoreAnswers(pub Arc<dyn Store>);

#[async_trait]
impl Check for StoreAnswers {
    fn name(&self) -> &'static str {
        "store"
    }

    async fn look(&self) -> Result<(), String> {
        // The time alone would not do: a store in a file takes it from the machine. No event has a place so late, so
        // this is one look into an index.
        self.0.chain(i64::MAX, 1).await.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Someone waits for messages at the queue: `F` counts the consumers attached.
pub struct Attached<F>(pub F);

#[async_trait]
impl<F: Fn() -> u64 + Send + Sync> Check for Attached<F> {
    fn name(&self) -> &'static str {
        "consumers"
    }

    async fn look(&self) -> Result<(), String> {
        if (self.0)() > 0 { Ok(()) } else { Err("no consumer is attached to the queue".to_owned()) }
    }
}
