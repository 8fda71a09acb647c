//! The closed budgets of a subscription, opened by hand.

use holdfast_model::{
    Actor, App, AppId, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName, SubscriptionId, Timestamp,
};
use holdfast_store::Store;

use crate::{Error, ErrorKind};

/// Opens the closed budgets of a subscription, records it in the audit, and returns how many were closed.
pub async fn reopen(
    store: &dyn Store,
    subscription: &SubscriptionId,
    actor: Actor,
    rng: &mut fastrand::Rng,
) -> Result<u64, Error> {
    let known = store.subscriptions().await?;
    if known.iter().all(|status| status.subscription != *subscription) {
        let what = format!("no subscription {subscription} was listed or has a closed budget");
        let error = Error::new(ErrorKind::NotFound, what);
        return Err(error.help("`holdfast status --output json` has the subscriptions"));
    }
    let record = record(subscription, actor, store.now().await?, rng);
    Ok(store.open_budgets(subscription, &record).await?)
}

/// The operator action that records it. It is about no app; its id names the subscription alone.
pub fn record(
    subscription: &SubscriptionId,
    actor: Actor,
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> NewRun {
    let app = App::new(AppId::new(subscription.as_str(), "unknown", "unknown", None));
    // It sends nothing, so its policy snapshot does not matter.
    let snapshot = PolicySnapshot::new(StorageName::new("none"), "");
    let action = OperatorAction::BudgetsReopened { subscription: subscription.clone() };
    NewRun::operator_action(RunId::new(now, rng), &app, &snapshot, action, actor, now)
}
