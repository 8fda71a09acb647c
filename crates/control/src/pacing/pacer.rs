//! Draws a token for each call, and waits until there is one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_arm::{CallFacts, CallObserver};
use holdfast_model::{Call, Limits, SubscriptionId};
use holdfast_store::{BudgetDraw, Drawn, Error, Store};

use super::observer::{Wait, WaitObserver, WaitReason};
use super::retry::Patience;
use super::tokens::Tokens;

/// How many draws do without the shared budgets after they failed.
///
/// A command that only reads may not be allowed to draw, and a store may be away for a while.
const DRAWS_WITHOUT: u32 = 16;

/// What a pacer is built from.
pub struct PacerParts {
    /// The store with the budgets that all processes share; `None` where there is none.
    pub shared: Option<Arc<dyn Store>>,
    /// Budgets of this process, for where there are no shared ones or they fail.
    pub local: Arc<dyn Store>,
    /// The budgets' sizes.
    pub limits: Limits,
    /// Observes waits.
    pub observer: Arc<dyn WaitObserver>,
}

/// Hands out the tokens of budgets, to each subscription and kind of call in the order of requests.
///
/// As the observer of the client it also counts the further pages of lists, which later calls pay for.
pub struct Pacer {
    parts: PacerParts,
    /// Draws left that do without the shared budgets.
    draws_without: AtomicU32,
    lots: Mutex<BTreeMap<(SubscriptionId, Call), Arc<Lot>>>,
}

/// The tokens of one budget, and the queue for them.
#[derive(Default)]
struct Lot {
    queue: tokio::sync::Mutex<()>,
    tokens: Mutex<Tokens>,
}

impl Lot {
    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pacer {
    /// A pacer that holds no tokens yet.
    pub fn new(parts: PacerParts) -> Self {
        Self { parts, draws_without: AtomicU32::new(0), lots: Mutex::default() }
    }

    /// Waits for a token. `Err` is the further wait when it took or would take too long.
    pub(super) async fn pay(
        &self,
        subscription: &SubscriptionId,
        call: Call,
        patience: Patience,
    ) -> Result<(), Duration> {
        let lot = self.lot(subscription, call);
        let _turn = lot.queue.lock().await;
        let mut waited = Duration::ZERO;
        loop {
            let Err(most) = lot.tokens().pay() else { return Ok(()) };
            let Drawn { tokens, wait } = self.draw(subscription, call, most).await;
            lot.tokens().add(tokens);
            waited += wait;
            if waited > patience.wait_max() {
                return if patience.goes_unpaid(wait) { Ok(()) } else { Err(wait) };
            }
            if tokens == 0 {
                let reason = WaitReason::Budget;
                self.pause(Wait { subscription: subscription.clone(), call, reason, duration: wait }).await;
            }
        }
    }

    /// Closes the budget for `pause`, because ARM throttled a call.
    pub(super) async fn close(&self, subscription: &SubscriptionId, call: Call, pause: Duration) {
        self.lot(subscription, call).tokens().forfeit();
        let close = async |store: &dyn Store| {
            let until = store.now().await? + pause;
            store.close_budget(subscription, call, until).await
        };
        if let Some(shared) = self.shared() {
            match close(shared).await {
                Ok(()) => return,
                Err(error) => self.shared_failed(&error),
            }
        }
        // The budgets of this process are in memory, and do not fail.
        let _ = close(&*self.parts.local).await;
    }

    /// Waits, and reports it.
    pub(super) async fn pause(&self, wait: Wait) {
        let duration = wait.duration;
        let _reported = Reported::new(&*self.parts.observer, &wait);
        let _ = tokio::time::timeout(duration, std::future::pending::<()>()).await;
    }

    async fn draw(&self, subscription: &SubscriptionId, call: Call, most: u32) -> Drawn {
        let budget = self.parts.limits.budget(call);
        let draw = BudgetDraw { subscription: subscription.clone(), call, most, budget };
        if let Some(shared) = self.shared() {
            match shared.draw_budget(&draw).await {
                Ok(drawn) => return drawn,
                Err(error) => self.shared_failed(&error),
            }
        }
        let granted = Drawn { tokens: most, wait: Duration::ZERO };
        self.parts.local.draw_budget(&draw).await.unwrap_or(granted)
    }

    /// The shared budgets, unless they failed lately.
    fn shared(&self) -> Option<&dyn Store> {
        let left = |left: u32| left.checked_sub(1);
        let does_without =
            self.draws_without.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok();
        self.parts.shared.as_deref().filter(|_| !does_without)
    }

    fn shared_failed(&self, error: &Error) {
        self.draws_without.store(DRAWS_WITHOUT, Ordering::Relaxed);
        let error = error as &dyn std::error::Error;
        tracing::debug!(error, "the shared request budgets cannot be used; calls are paced without them");
    }

    fn lot(&self, subscription: &SubscriptionId, call: Call) -> Arc<Lot> {
        let mut lots = self.lots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lots.entry((subscription.clone(), call)).or_default())
    }
}

impl CallObserver for Pacer {
    fn answered(&self, call: &CallFacts<'_>) {
        let kind = match call.method {
            "GET" => Call::Read,
            "DELETE" => Call::Delete,
            _ => Call::Write,
        };
        self.lot(call.subscription, kind).tokens().sent();
    }
}

/// A reported wait. Dropping it reports its end.
struct Reported<'a>(&'a dyn WaitObserver);

impl<'a> Reported<'a> {
    fn new(observer: &'a dyn WaitObserver, wait: &Wait) -> Self {
        observer.begins(wait);
        Self(observer)
    }
}

impl Drop for Reported<'_> {
    fn drop(&mut self) {
        self.0.ended();
    }
}
